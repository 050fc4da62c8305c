using System.Buffers;
using Muster.Core.Limits;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// How fast one may speak and change presence (muc.md §16). Nothing is dropped: each session has one place for a message
// that came too soon; when its time has come it joins the room's line, which moves as fast as the room's shaper lets
// it.
public sealed partial class Room
{
    /// <summary>More than a host handles in one batch.</summary>
    const int ReleasedMax = 128;

    static readonly StanzaError TooFast = StanzaError.ResourceConstraint.WithText("Traffic rate limit is exceeded");

    /// <summary>Messages whose sender must wait still.</summary>
    readonly PriorityQueue<HeldMessage, DateTimeOffset> _held = new();
    /// <summary>Messages whose sender need not wait any more, but the room.</summary>
    readonly Queue<HeldMessage> _line = [];
    /// <summary>Sessions with a presence that came too soon.</summary>
    readonly PriorityQueue<OccupantSession, DateTimeOffset> _heldPresence = new();
    /// <summary>The messages last released, by archive id: when they cannot be stored, their senders must hear of it,
    /// and no letter of the host's batch names them.</summary>
    readonly Queue<(long Id, Message Message)> _released = [];
    Shaper? _roomShaper;
    DateTimeOffset? _wakeAt;

    /// <summary>A message that waits.</summary>
    internal sealed record HeldMessage(OccupantSession Sender, Message Message, RoomMessageKind Kind, int Bytes)
    {
        /// <summary>When the room's shaper lets it go.</summary>
        public DateTimeOffset ReadyAt { get; init; }
    }

    /// <summary>What a session is allowed, as long as it is inside.</summary>
    internal sealed class Pace
    {
        public Shaper? Messages, Presences;
        public DateTimeOffset? MessageAt, PresenceAt;
        public bool HasHeldMessage;
        public Presence? HeldPresence;
    }

    bool HasMessageRates =>
        Policy.MessageIntervalMin > TimeSpan.Zero || Policy.UserMessageRate is not null ||
        Policy.RoomRate is not null || _line.Count > 0;

    /// <summary>Shows a message now or, when it came too soon, later. The rights have been checked.</summary>
    StanzaError? Take(OccupantSession sender, Message message, RoomMessageKind kind, in RoomInput input,
        List<RoomEffect> effects)
    {
        if (!HasMessageRates) return Release(sender, message, kind, input, effects);
        var pace = sender.Pace ??= new Pace();
        if (pace.HasHeldMessage) return TooFast;
        int bytes = Policy.UserMessageRate is null && Policy.RoomRate is null ? 0 : SizeOf(message);
        var wait = Later(pace.MessageAt + Policy.MessageIntervalMin - input.Now,
            Wait(ref pace.Messages, Policy.UserMessageRate, bytes, input.Now));
        var held = new HeldMessage(sender, message, kind, bytes);
        if (wait > TimeSpan.Zero)
        {
            pace.HasHeldMessage = true;
            _held.Enqueue(held, input.Now + wait);
            effects.Add(new RoomEffect.Postponed(message));
            return null;
        }
        var roomWait = Wait(ref _roomShaper, Policy.RoomRate, bytes, input.Now);
        if (roomWait > TimeSpan.Zero || _line.Count > 0)
        {
            pace.HasHeldMessage = true;
            _line.Enqueue(held with { ReadyAt = input.Now + roomWait });
            effects.Add(new RoomEffect.Postponed(message));
            return null;
        }
        pace.MessageAt = input.Now;
        return Release(sender, message, kind, input, effects);
    }

    StanzaError? Release(OccupantSession sender, Message message, RoomMessageKind kind, in RoomInput input,
        List<RoomEffect> effects)
    {
        if (kind == RoomMessageKind.Subject) SetSubject(sender, message, input, effects);
        else Publish(sender, message, kind, input, effects);
        return null;
    }

    /// <summary>Lets go what may go now: one message, as one input has one archive id, and every presence.</summary>
    void ReleaseHeld(in RoomInput input, List<RoomEffect> effects)
    {
        while (_held.TryPeek(out var held, out var at) && at <= input.Now)
        {
            _held.Dequeue();
            var wait = Wait(ref _roomShaper, Policy.RoomRate, held.Bytes, input.Now);
            _line.Enqueue(held with { ReadyAt = input.Now + wait });
        }
        if (_line.TryPeek(out var next) && next.ReadyAt <= input.Now)
        {
            _line.Dequeue();
            ReleaseHeld(next, input, effects);
        }
        while (_heldPresence.TryPeek(out var session, out var at) && at <= input.Now)
        {
            _heldPresence.Dequeue();
            if (session.Pace is not { HeldPresence: { } presence } pace || !IsInside(session)) continue;
            pace.HeldPresence = null;
            pace.PresenceAt = input.Now;
            ShowUpdate(session, presence, effects);
        }
    }

    void ReleaseHeld(HeldMessage held, in RoomInput input, List<RoomEffect> effects)
    {
        var pace = held.Sender.Pace!;
        pace.HasHeldMessage = false;
        pace.MessageAt = input.Now; // [D] from when it was shown, so that no burst follows
        effects.Add(new RoomEffect.Resolved(held.Message));
        // muc.md §16: the rights may have changed meanwhile.
        var refusal = !IsInside(held.Sender) ? OccupantsOnly : CheckTalk(held.Sender, held.Kind);
        if (refusal is not null)
        {
            Refuse(held.Message, refusal, effects);
            return;
        }
        Release(held.Sender, held.Message, held.Kind, input, effects);
        _released.Enqueue((input.NextId, held.Message));
        if (_released.Count > ReleasedMax) _released.Dequeue();
    }

    bool IsInside(OccupantSession session) => _occupants.TryFind(session.Real, out var found) && found == session;

    /// <summary>Shows a presence update now or, when it came too soon, later; the newest counts. What is no update -
    /// leaving, another nick, entering again - never waits.</summary>
    void TakeUpdate(OccupantSession session, Presence presence, in RoomInput input, List<RoomEffect> effects)
    {
        if (Policy.PresenceIntervalMin > TimeSpan.Zero || Policy.UserPresenceRate is not null)
        {
            var pace = session.Pace ??= new Pace();
            bool isHeld = pace.HeldPresence is not null;
            var wait = isHeld ? TimeSpan.Zero : Later(pace.PresenceAt + Policy.PresenceIntervalMin - input.Now,
                Wait(ref pace.Presences, Policy.UserPresenceRate, SizeOf(presence), input.Now));
            if (isHeld || wait > TimeSpan.Zero)
            {
                pace.HeldPresence = presence;
                if (!isHeld) _heldPresence.Enqueue(session, input.Now + wait);
                return;
            }
            pace.PresenceAt = input.Now;
        }
        ShowUpdate(session, presence, effects);
    }

    /// <summary>Who waits in a room that ends, to speak or to enter, learns that nothing came of it.</summary>
    void RefuseWaiting(List<RoomEffect> effects)
    {
        foreach (var held in _line.Concat(_held.UnorderedItems.Select(item => item.Element)))
        {
            effects.Add(new RoomEffect.Resolved(held.Message));
            Refuse(held.Message, OccupantsOnly, effects);
        }
        foreach (var pending in _checks.Values) Refuse(pending.Presence, CheckFailed, effects);
        _line.Clear();
        _held.Clear();
        _checks.Clear();
    }

    /// <summary>Asks the host for the next moment at which something is due, unless it knows. When that moment is over,
    /// a full mailbox may have kept the tick out: then it asks again.</summary>
    void AskToWake(DateTimeOffset now, List<RoomEffect> effects)
    {
        DateTimeOffset? next = _state == State.Locked ? _lockEndsAt : null;
        if (_line.TryPeek(out var first)) next = Earlier(next, first.ReadyAt);
        if (_held.TryPeek(out _, out var messageAt)) next = Earlier(next, messageAt);
        if (_heldPresence.TryPeek(out _, out var presenceAt)) next = Earlier(next, presenceAt);
        if (_sweepAt is { } sweepAt) next = Earlier(next, sweepAt);
        if (next == _wakeAt && !(next <= now)) return;
        _wakeAt = next;
        if (next is { } at) effects.Add(new RoomEffect.WakeAt(at));
    }

    static DateTimeOffset Earlier(DateTimeOffset? one, DateTimeOffset other) =>
        one is { } at && at < other ? at : other;

    static TimeSpan Later(TimeSpan? one, TimeSpan other) => one is { } time && time > other ? time : other;

    static TimeSpan Wait(ref Shaper? shaper, int? rate, int bytes, DateTimeOffset now) =>
        rate is not { } perSecond ? TimeSpan.Zero : (shaper ??= new Shaper(perSecond)).Take(bytes, now.UtcTicks);

    static int SizeOf(Stanza stanza)
    {
        var output = new ArrayBufferWriter<byte>();
        StanzaWriter.Write(output, stanza.ToElement(), Namespaces.Client);
        return output.WrittenCount;
    }
}
