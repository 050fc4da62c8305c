namespace Muster.Protocol.Payloads;

/// <summary>The status codes of rooms (XEP-0045 §16.6 #registrar-statuscodes). Clients act on the numbers, so each is
/// said exactly where its event happens.</summary>
public static class MucStatus
{
    /// <summary>On entering: everybody may see the user's full JID.</summary>
    public const int NonAnonymous = 100;
    /// <summary>Message: the user's affiliation changed while the user was not in the room.</summary>
    public const int AffiliationChangedWhileAway = 101;
    /// <summary>Message: the room now shows unavailable members.</summary>
    public const int ShowsUnavailableMembers = 102;
    /// <summary>Message: the room no longer shows unavailable members.</summary>
    public const int HidesUnavailableMembers = 103;
    /// <summary>Message: a setting that has no code of its own changed.</summary>
    public const int ConfigurationChanged = 104;
    /// <summary>Presence: it is about the recipient.</summary>
    public const int Self = 110;
    /// <summary>The room is logged, or logging begins.</summary>
    public const int LoggingOn = 170;
    /// <summary>Message: logging ends.</summary>
    public const int LoggingOff = 171;
    /// <summary>Message: the room is now non-anonymous.</summary>
    public const int NowNonAnonymous = 172;
    /// <summary>Message: the room is now semi-anonymous.</summary>
    public const int NowSemiAnonymous = 173;
    /// <summary>On entering: the room was created by this.</summary>
    public const int Created = 201;
    /// <summary>On entering: the service assigned or changed the nick.</summary>
    public const int NickAssigned = 210;
    /// <summary>Unavailable: banned.</summary>
    public const int Banned = 301;
    /// <summary>Unavailable: the occupant takes the nick named in the item.</summary>
    public const int NickChanged = 303;
    /// <summary>Unavailable: kicked.</summary>
    public const int Kicked = 307;
    /// <summary>Unavailable: removed because an affiliation changed.</summary>
    public const int AffiliationLost = 321;
    /// <summary>Unavailable: removed because the room became members-only.</summary>
    public const int NowMembersOnly = 322;
    /// <summary>Unavailable: the service shuts down.</summary>
    public const int Shutdown = 332;
    /// <summary>Unavailable: removed for a technical reason, for example the connection to the occupant was
    /// lost.</summary>
    public const int TechnicalError = 333;
}
