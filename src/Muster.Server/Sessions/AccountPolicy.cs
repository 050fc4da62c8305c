using Muster.Core.Archive;
using Muster.Core.Limits;
using Muster.Protocol.Addresses;

namespace Muster.Server.Sessions;

/// <summary>What depends on whose account it is: the rules of the configuration, ready to be asked.</summary>
sealed record AccountPolicy
{
    /// <summary>Sessions that an account may have at a time.</summary>
    public Func<Jid, int> SessionsMax { get; init; } = static _ => ServerLimits.Default.SessionsPerUserMax;
    /// <summary>How ids of archives are written.</summary>
    public ArchiveIds ArchiveIds { get; init; } = ArchiveIds.Plain;
    /// <summary>What the archive of an account keeps while its user has not said so.</summary>
    public Func<Jid, ArchiveDefault> ArchiveDefault { get; init; } = static _ => Core.Archive.ArchiveDefault.Always;
    /// <summary>Whether the sender of a message that the archive has hears no error when it is not kept as an offline
    /// message.</summary>
    public Func<Jid, bool> IsArchiveEnough { get; init; } = static _ => true;
    /// <summary>How its streams are managed.</summary>
    public Func<Jid, SmPolicy> StreamManagement { get; init; } = static _ => new SmPolicy();
    /// <summary>Whether messages that rooms send to an account itself are kept for its next login.</summary>
    public Func<Jid, bool> StoresRoomMessages { get; init; } = static _ => false;
    /// <summary>Messages kept for an account that is not there; 0 for none.</summary>
    public Func<Jid, int> OfflineMessagesMax { get; init; } = static _ => ServerLimits.Default.OfflineMessagesMax;
}
