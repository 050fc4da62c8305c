using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Looking for ghosts where nothing would bounce: in a room where nobody speaks, sessions of other servers that have
// been silent for long are asked whether they are there (muc.md §9 [D]). Sessions of this server need no asking.
public sealed partial class Room
{
    const string ProbePrefix = "probe-";
    const int ProbesMax = 2;

    // After a restart, when other servers have had the time to notice it.
    static readonly TimeSpan VerifyDelay = TimeSpan.FromMinutes(1);

    DateTimeOffset? _sweepAt;
    DateTimeOffset _shownAt;

    /// <summary>Begins or goes on looking while there is somebody to look for.</summary>
    void PlanSweep(DateTimeOffset now)
    {
        if (Policy.ProbeAfter is not { } after || !_occupants.HasRemote) _sweepAt = null;
        else _sweepAt ??= now + after;
    }

    void Sweep(in RoomInput input, List<RoomEffect> effects)
    {
        if (Policy.ProbeAfter is not { } after || _sweepAt is not { } at || at > input.Now) return;
        _sweepAt = input.Now + Policy.ProbeTime;
        bool isQuiet = input.Now - _shownAt >= after; // what was said lately has bounced if it had to
        foreach (var session in _occupants.AllSessions.Where(session => !session.IsLocal).ToArray())
        {
            // Whoever was here before a restart is asked in any case.
            if (!session.IsUnverified && (!isQuiet || input.Now - session.ActiveAt < after)) continue;
            if (session.Probes == ProbesMax)
            {
                GoneWithout(session, MissCause.Silent, "no-answer", ShownSince(session.ActiveAt), null, effects);
                continue;
            }
            session.Probes++;
            effects.Add(new RoomEffect.Send(new Iq(IqType.Get, Address, session.Real, ProbePrefix + MakeId(input),
                new Element(Namespaces.Ping, "ping"))));
        }
    }

    /// <summary>The answer to a probe: any answer of the session's own proves it alive, an error that only a server
    /// gives proves it gone.</summary>
    void ReceiveProbeAnswer(Iq iq, List<RoomEffect> effects)
    {
        if (!iq.Id.StartsWith(ProbePrefix, StringComparison.Ordinal)) return;
        if (!_occupants.TryFind(iq.From, out var session) || iq.Error is not { } error
            || !IsGhostly(error.Condition)) return;
        // A server that cannot be reached now may be restarting, as this one just was: asked again, not removed.
        if (error.Condition is "remote-server-timeout" && session.Probes < ProbesMax) return;
        GoneWithout(session, MissCause.Silent, error.Condition, ShownSince(session.ActiveAt), null, effects);
    }
}
