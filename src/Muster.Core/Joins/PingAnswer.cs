using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Joins;

/// <summary>What the answer to a ping says about a session in a room.</summary>
public enum PingVerdict
{
    /// <summary>It is inside.</summary>
    Joined,
    /// <summary>It is inside under another nick, or not at all: it has to be asked once more.</summary>
    Renamed,
    /// <summary>It is not inside.</summary>
    NotJoined,
    /// <summary>The room was not reached, so nothing is known.</summary>
    Undecided,
}

/// <summary>How answers to a MUC self-ping are understood (XEP-0410 §3.2, muc-presence-reliability.md §2).</summary>
public static class PingAnswer
{
    /// <summary>What an answer means.</summary>
    /// <param name="answer">A result or an error.</param>
    /// <param name="own">The session's own domain: an error that its server made says nothing of the room.</param>
    public static PingVerdict Judge(Iq answer, Jid own)
    {
        if (answer.Type == IqType.Result) return PingVerdict.Joined;
        if (answer.Error is not { } error) return PingVerdict.NotJoined;
        if (!error.By.IsNone && error.By == own) return PingVerdict.Undecided;
        return error.Condition switch
        {
            // Passed on to one of the user's own clients, which knows no pings.
            "service-unavailable" or "feature-not-implemented" => PingVerdict.Joined,
            "item-not-found" => PingVerdict.Renamed,
            "remote-server-not-found" or "remote-server-timeout" => PingVerdict.Undecided,
            // A room that has too much to do says nothing about who is inside.
            "resource-constraint" when error.Type == StanzaErrorType.Wait => PingVerdict.Undecided,
            _ => PingVerdict.NotJoined,
        };
    }
}
