using Muster.Core.Delivery;
using Muster.Core.Sessions;

namespace Muster.Server.Sessions;

/// <summary>The rules of stream management for the accounts of one domain (stream-management.md §6).</summary>
sealed record SmPolicy
{
    /// <summary>Whether it is offered.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>How long a session without connection waits.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Sessions of an account that may wait; one more ends the one that waits longest.</summary>
    public int HibernatedMax { get; init; } = 10;

    /// <summary>Ended sessions of an account of which the count of handled stanzas is still told.</summary>
    public int OldMax { get; init; } = 10;

    /// <summary>How long it is told.</summary>
    public TimeSpan OldTime { get; init; } = TimeSpan.FromDays(2);

    /// <summary>What is kept for a client.</summary>
    public SmQueueLimits Queue { get; init; } = new();

    /// <summary>Stanzas without an acknowledgement before one is asked for.</summary>
    public int UnackedMax { get; init; }

    /// <summary>The same of an inactive client.</summary>
    public int InactiveUnackedMax { get; init; } = 256;

    /// <summary>What happens to what a dead session did not get.</summary>
    public UnackedRules Unacked { get; init; } = new();
}
