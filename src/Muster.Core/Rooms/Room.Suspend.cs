using System.Collections.Immutable;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

/// <summary>An occupant of a room that outlives its process: what of it cannot be made anew.</summary>
/// <param name="Nick">The nick.</param>
/// <param name="Role">The role.</param>
/// <param name="IsServiceAdmin">Owner here whatever the list says.</param>
/// <param name="Unannounced">Not shown to others.</param>
/// <param name="Sessions">The sessions behind the nick, in the order of entering.</param>
public sealed record OccupantSnapshot(
    string Nick, Role Role, bool IsServiceAdmin, bool Unannounced, ImmutableArray<SessionSnapshotInRoom> Sessions);

/// <summary>One session of such an occupant.</summary>
/// <param name="Real">Its real full JID.</param>
/// <param name="IsLocal">A session of this server.</param>
/// <param name="EnteredAt">When it entered.</param>
/// <param name="ActiveAt">When it last gave a sign.</param>
/// <param name="Priority">Priority of its presence.</param>
/// <param name="Lang">Language of its presence, or null.</param>
/// <param name="Shown">Its presence as the room passes it on.</param>
public sealed record SessionSnapshotInRoom(
    Jid Real, bool IsLocal, DateTimeOffset EnteredAt, DateTimeOffset ActiveAt, int Priority, string? Lang,
    ImmutableArray<Element> Shown);

// A restart that nobody inside notices: the room ends with its process, and its occupants are kept.
public sealed partial class Room
{
    /// <summary>Takes back those who were inside when the process ended. Nobody is told, as nobody has seen them go.
    /// Sessions of other servers may have gone meanwhile without anybody to tell it to: they are asked soon (see
    /// Room.Probes.cs). A <see cref="RoomEvent.Tick"/> should follow. A temporary room is not stored any more: the host
    /// removes what was stored of it for the time of the restart.</summary>
    /// <param name="occupants">Who was inside.</param>
    /// <param name="now">The time.</param>
    public void TakeBack(IEnumerable<OccupantSnapshot> occupants, DateTimeOffset now)
    {
        _stored &= _options.Persistent;
        foreach (var kept in occupants)
        {
            if (kept.Sessions.IsEmpty || !Address.TryWithResource(kept.Nick, out var inRoom)) continue;
            var user = kept.Sessions[0].Real.Bare;
            var affiliation = kept.IsServiceAdmin ? Affiliation.Owner : _affiliations.Of(kept.Sessions[0].Real);
            var occupant = new Occupant(kept.Nick, inRoom, user, OccupantId(user))
            {
                Role = kept.Role,
                Affiliation = affiliation,
                IsServiceAdmin = kept.IsServiceAdmin,
                Unannounced = kept.Unannounced,
            };
            foreach (var session in kept.Sessions)
            {
                if (_occupants.TryFind(session.Real, out _)) continue;
                _occupants.Add(new OccupantSession(session.Real, occupant, session.EnteredAt)
                {
                    ActiveAt = session.ActiveAt,
                    IsLocal = session.IsLocal,
                    IsUnverified = !session.IsLocal,
                    Priority = session.Priority,
                    Lang = session.Lang,
                    Shown = session.Shown,
                });
            }
        }
        // What they may have missed if they turn out to be gone.
        foreach (var entry in _history.All)
            if (now - entry.At <= ShownTime) NoteShown(entry.Id, entry.Stanza, entry.At);
        if (_occupants.HasRemote && Policy.ProbeAfter is not null) _sweepAt = now + VerifyDelay;
    }

    /// <summary>Everybody goes who cannot come back; the others are told nothing, as they stay.</summary>
    void ShutDown(string reason, IReadOnlySet<Jid> stay, DateTimeOffset now, List<RoomEffect> effects)
    {
        var departure = new Departure(MucStatus.Shutdown) { Reason = reason };
        foreach (var session in _occupants.AllSessions.ToArray())
        {
            if (!session.IsLocal || stay.Contains(session.Real)) continue;
            TellFresh(session, now, effects);
            RemoveSession(session, departure, effects);
        }
    }

    void Suspend(List<RoomEffect> effects)
    {
        if (_occupants.SessionCount == 0) return;
        if (_state == State.Locked) Unlock(effects);
        // A temporary room is stored for the time of the restart; it goes when the last one leaves it.
        if (!_stored) Store(effects);
        effects.Add(new RoomEffect.Suspended([.. _occupants.All.Select(ToSnapshot)]));
        Close(effects);
    }

    static OccupantSnapshot ToSnapshot(Occupant occupant) => new(
        occupant.Nick, occupant.Role, occupant.IsServiceAdmin, occupant.Unannounced,
        [.. occupant.Sessions.Select(session => new SessionSnapshotInRoom(session.Real, session.IsLocal,
            session.EnteredAt, session.ActiveAt, session.Priority, session.Lang, session.Shown))]);
}
