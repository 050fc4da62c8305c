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

    /// <summary>Whether a user may know who really said something in the archive: decided when it is read.</summary>
    public bool MaySeeAddresses(Jid reader, in SenderFacts facts) =>
        !_options.Anonymous || AffiliationOf(reader, facts) >= Affiliation.Admin ||
        (_occupants.TryFind(reader, out var session) && session.Occupant.Role == Role.Moderator);

    static readonly StanzaError ArchiveDenied = StanzaError.Forbidden.WithText("You may not read this room's archive");

    /// <summary>Gives the room up because the host could not keep what it promised: everybody inside is told to enter
    /// again (status 333), as what they see may not be what is stored.</summary>
    /// <param name="reason">Text for people.</param>
    /// <param name="effects">Where the effects are added; only Send, Left, Refuse and Closed.</param>
    public void Abandon(string reason, List<RoomEffect> effects)
    {
        var departure = new Departure(MucStatus.TechnicalError) { Reason = reason };
        foreach (var occupant in _occupants.All)
        {
            foreach (var session in occupant.Sessions)
            {
                effects.Add(new RoomEffect.Send(Unavailable(occupant, session.Real, self: true, departure),
                    session.Real));
                effects.Add(new RoomEffect.Left(session.Real, occupant.Nick, Last: true, MucStatus.TechnicalError,
                    reason));
            }
        }
        Close(effects);
    }
}
