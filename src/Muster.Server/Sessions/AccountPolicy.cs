using Muster.Core.Limits;
using Muster.Protocol.Addresses;

namespace Muster.Server.Sessions;

/// <summary>What depends on whose account it is: the rules of the configuration, ready to be asked.</summary>
sealed record AccountPolicy
{
    /// <summary>Sessions that an account may have at a time.</summary>
    public Func<Jid, int> SessionsMax { get; init; } = static _ => ServerLimits.Default.SessionsPerUserMax;
    /// <summary>Messages kept for an account that is not there; 0 for none.</summary>
    public Func<Jid, int> OfflineMessagesMax { get; init; } = static _ => ServerLimits.Default.OfflineMessagesMax;
}
