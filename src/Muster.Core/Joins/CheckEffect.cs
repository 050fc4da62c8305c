using Muster.Protocol.Addresses;

namespace Muster.Core.Joins;

/// <summary>What came of asking a room.</summary>
public enum CheckOutcome
{
    /// <summary>The session is inside.</summary>
    Ok,
    /// <summary>It is not.</summary>
    Dropped,
    /// <summary>The room could not be asked: it is asked again.</summary>
    Undecided,
}

/// <summary>What is to be done about rooms of other servers. Plain data.</summary>
public abstract record CheckEffect
{
    CheckEffect() { }

    /// <summary>A ping from the session to its own address in the room (XEP-0410 §3.2).</summary>
    /// <param name="Session">The session's full JID.</param>
    /// <param name="Occupant">Its address in the room.</param>
    /// <param name="Id">Id of the ping, which nobody can guess.</param>
    public sealed record Ping(Jid Session, Jid Occupant, string Id) : CheckEffect;

    /// <summary>The session has dropped out of the room; it is not among its rooms any more, and is to be
    /// told.</summary>
    /// <param name="Session">The session's full JID.</param>
    /// <param name="Occupant">The address that it had in the room.</param>
    /// <param name="Reason">The room's own words, or null.</param>
    /// <param name="IsFlapping">The room drops the session again and again.</param>
    /// <param name="MayBeInside">The room has not said so itself: it could not be asked, or not under the nick that the
    /// session has there. It is to be told that the session is not there.</param>
    public sealed record Drop(Jid Session, Jid Occupant, string? Reason, bool IsFlapping, bool MayBeInside = false)
        : CheckEffect;

    /// <summary>A room was asked, and this came of it: to be counted.</summary>
    public sealed record Settled(Jid Occupant, CheckOutcome Outcome) : CheckEffect;

    /// <summary>Too many rooms wait for an answer, or to be asked: this one is given up for now.</summary>
    public sealed record Overflow(Jid Occupant) : CheckEffect;
}
