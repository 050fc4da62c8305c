namespace Muster.Server.Sessions;

/// <summary>Bounds on what one account may make the server keep or do. Reaching one is an error to the client, a counter
/// and, where the operator can do something about it, a log line.</summary>
sealed record AccountLimits
{
    /// <summary>Resources bound at the same time.</summary>
    public int SessionsMax { get; init; } = 20;
    /// <summary>Addresses that one session may have sent directed presence to: rooms that it is in, mostly.</summary>
    public int DirectedPresenceMax { get; init; } = 1000;

    /// <summary>Contacts in a roster.</summary>
    public int RosterItemsMax { get; init; } = 1000;
    /// <summary>UTF-8 bytes of a contact's name.</summary>
    public int RosterNameBytesMax { get; init; } = 1023;
    /// <summary>Groups of one contact.</summary>
    public int RosterGroupsMax { get; init; } = 50;
    /// <summary>UTF-8 bytes of a group's name.</summary>
    public int RosterGroupBytesMax { get; init; } = 1023;
    /// <summary>Subscription requests that wait for the user's answer; further ones are dropped.</summary>
    public int RequestsWaitingMax { get; init; } = 200;
    /// <summary>Bytes of a waiting request kept with all its content; of a longer one only the request is kept.</summary>
    public int RequestBytesMax { get; init; } = 4096;

    /// <summary>Messages that wait for an account that is not there.</summary>
    public int OfflineMessagesMax { get; init; } = 500;
    /// <summary>Messages handed over at once when the user comes back.</summary>
    public int OfflineBatchMax { get; init; } = 50;
    /// <summary>While more bytes than this wait to be read by the client, no stored message is handed over.</summary>
    public int OfflineBytesWaitingMax { get; init; } = 512 * 1024;
    /// <summary>How long a client may leave them unread before handing over is given up until the next login.</summary>
    public TimeSpan OfflinePatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Addresses in a block list.</summary>
    public int BlockedMax { get; init; } = 1000;
    /// <summary>UTF-8 bytes of a vCard.</summary>
    public int VcardBytesMax { get; init; } = 200 * 1024;
    /// <summary>UTF-8 bytes of one document in private storage.</summary>
    public int PrivateBytesMax { get; init; } = 64 * 1024;
    /// <summary>Documents in private storage.</summary>
    public int PrivateDocumentsMax { get; init; } = 100;

    /// <summary>Invitations of one account that are open.</summary>
    public int InvitesMax { get; init; } = 50;
    /// <summary>How long an invitation is good.</summary>
    public TimeSpan InviteLifetime { get; init; } = TimeSpan.FromDays(7);
}
