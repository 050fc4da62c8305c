namespace Muster.Core.Joins;

/// <summary>How rooms of other servers are asked whether sessions are inside (mod_ping_muc;
/// muc-presence-reliability.md §8).</summary>
public sealed record CheckRules
{
    /// <summary>Time between the end of a stream and the pings (<c>ping_muc_delay</c>): most streams end because nobody
    /// used them, and a server that is restarted needs a moment.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a room may take to answer (<c>ping_muc_timeout</c>).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A room that could not be reached for this long counts as left (<c>ping_muc_give_up</c>).</summary>
    public TimeSpan GiveUp { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Whether every error and every missing answer counts as left at once
    /// (<c>ping_muc_strict_reference</c>).</summary>
    public bool IsStrict { get; init; }

    /// <summary>Rooms that were silent for this long are asked without a stream having ended
    /// (<c>ping_muc_silence</c>); zero for never.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Most pings to one domain in a second (<c>ping_muc_rate</c>).</summary>
    public int RatePerSecond { get; init; } = 50;

    /// <summary>Pings without an answer at a time. With one more, the oldest is taken for unanswered.</summary>
    public int UnansweredMax { get; init; } = 10_000;

    /// <summary>Rooms that wait to be asked. Those beyond it are asked when they are silent.</summary>
    public int WaitingMax { get; init; } = 100_000;

    /// <summary>Domains remembered, and rooms that are known to drop sessions again and again.</summary>
    public int DomainsMax { get; init; } = 10_000;
}
