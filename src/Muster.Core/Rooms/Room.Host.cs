using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

// What the host needs beside stanzas and events.
public sealed partial class Room
{
    /// <summary>True once somebody has entered: until then the object is a room that might come to be.</summary>
    public bool Exists => _state is State.Locked or State.Open;

    /// <summary>Who is inside, session by session: for administrators.</summary>
    public IEnumerable<(string Nick, Jid Session, Role Role, Affiliation Affiliation)> Inside =>
        _occupants.All.SelectMany(occupant => occupant.Sessions.Select(
            session => (occupant.Nick, session.Real, occupant.Role, occupant.Affiliation)));

    /// <summary>Whether a user may read the room's archive (XEP-0313, muc.md §21); the error to refuse with, or
    /// null.</summary>
    public StanzaError? CheckArchive(Jid reader, in SenderFacts facts)
    {
        var affiliation = AffiliationOf(reader, facts);
        bool isInside = !_occupants.OfUser(reader.Bare).IsEmpty;
        if (affiliation == Affiliation.Outcast) return Banned;
        if (affiliation >= Affiliation.Member || isInside) return null;
        return _options.MembersOnly || _options.PasswordProtected ? ArchiveDenied : null;
    }

    /// <summary>Whether the list has a user as member or above: who may hear that something is said here
    /// (XEP-0437).</summary>
    public bool IsMember(Jid user) => _affiliations.Of(user) >= Affiliation.Member;

    /// <summary>Whether a user may know who really said something in the archive: decided when it is read.</summary>
    public bool MaySeeAddresses(Jid reader, in SenderFacts facts) =>
        !_options.Anonymous || AffiliationOf(reader, facts) >= Affiliation.Admin ||
        (_occupants.TryFind(reader, out var session) && session.Occupant.Role == Role.Moderator);

    /// <summary>Gives back what can be made again: for a room that has been quiet. Nobody can tell the
    /// difference.</summary>
    public void Compact()
    {
        _occupants.Compact();
        _history.Compact();
        _line.TrimExcess();
        _held.TrimExcess();
        _heldPresence.TrimExcess();
        _checks.TrimExcess();
    }

    static readonly StanzaError ArchiveDenied = StanzaError.Forbidden.WithText("You may not read this room's archive");

    /// <summary>Gives the room up because the host could not keep what it promised: everybody inside is told to enter
    /// again (status 333), as what they see may not be what is stored.</summary>
    /// <remarks>The host refuses the stanzas of the batch; what had waited in the room and was to be shown in it, the
    /// room refuses. Those who went in the failed batch are told, too: nobody has seen them go, they themselves least
    /// of all.</remarks>
    /// <param name="reason">Text for people.</param>
    /// <param name="effects">The effects of the failed batch. They are taken out, and those added that are to be
    /// performed instead; none of them needs to be kept.</param>
    public void Abandon(string reason, List<RoomEffect> effects)
    {
        var entered = effects.OfType<RoomEffect.Entered>().Select(effect => effect.Session).ToHashSet();
        var left = effects.OfType<RoomEffect.Left>().Where(effect => !entered.Contains(effect.Session)).ToList();
        var kept = effects.OfType<RoomEffect.Archive>().Select(effect => effect.Id).ToHashSet();
        effects.Clear();
        foreach (var (id, message) in _released)
            if (kept.Contains(id)) Refuse(message, NotKept, effects);
        foreach (var session in _occupants.AllSessions)
            SendOut(session.Real, session.Occupant.Nick, !entered.Contains(session.Real), reason, effects);
        foreach (var (session, nick, _, _, _) in left)
            if (!_occupants.TryFind(session, out _)) SendOut(session, nick, true, reason, effects);
        Close(effects);
    }

    static readonly StanzaError NotKept = StanzaError.ServiceUnavailable.WithText("The message could not be kept");

    void SendOut(Jid session, string nick, bool wasInside, string reason, List<RoomEffect> effects)
    {
        if (!Address.TryWithResource(nick, out var inRoom)) inRoom = Address;
        effects.Add(new RoomEffect.Send(new Presence(PresenceType.Unavailable, inRoom, default, null,
            new MucUser(new MucItem(Affiliation.None, Role.None, Reason: reason), MucStatus.Self,
                MucStatus.TechnicalError)
                .ToElement()), session));
        if (wasInside) effects.Add(new RoomEffect.Left(session, nick, true, MucStatus.TechnicalError, reason));
    }
}
