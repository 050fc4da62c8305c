using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Who may read the room's archive, and how much of it (XEP-0313 §6.1.2, muc.md §21). Reading is the host's.
public sealed partial class Room
{
    static readonly StanzaError ArchiveForbidden =
        StanzaError.Forbidden.WithText("You are not allowed to read the archive of this room");
    static readonly StanzaError SendersHidden =
        StanzaError.Forbidden.WithText("You are not allowed to know who sent which message");

    StanzaError? ReceiveArchiveQuery(Iq iq, Element payload, in RoomInput input, List<RoomEffect> effects)
    {
        if (CheckArchiveReader(iq.From, input.Sender) is { } refusal) return refusal;
        switch (iq.Type, payload.Name)
        {
            case (IqType.Get, "query"):
                return Succeed(iq, new Element(ArchiveRequest.Namespace, "query", ArchiveRequest.Form(false)), effects);
            case (IqType.Get, "metadata"):
                effects.Add(new RoomEffect.ReadArchive(iq, null, ShowsAddresses: false));
                return null;
            case (IqType.Set, "query"):
                if (ArchiveRequest.Read(payload, knowsGroupchat: false, out var problem, Policy.ArchiveIds)
                    is not { } request)
                    return problem;
                bool shows = SeesAddresses(iq.From, input.Sender);
                // XEP-0313 §4.1.1: not a way to learn who is behind a nick. Everybody knows what is the room's and the
                // asker's own.
                if (!request.With.IsNone && !shows && request.With != Address && !request.With.SameBare(iq.From))
                    return SendersHidden;
                effects.Add(new RoomEffect.ReadArchive(iq, request, shows));
                return null;
            default:
                return StanzaError.ServiceUnavailable;
        }
    }

    /// <summary>XEP-0313 §6.1.2: whoever may enter may read, at the time of the question.</summary>
    StanzaError? CheckArchiveReader(Jid reader, in SenderFacts facts)
    {
        var affiliation = AffiliationOf(reader, facts);
        if (affiliation == Affiliation.Outcast) return ArchiveForbidden;
        if (affiliation >= Affiliation.Member || _occupants.OfUser(reader.Bare).Any()) return null;
        // A password cannot be asked for here.
        return _options.MembersOnly || _options.PasswordProtected ? ArchiveForbidden : null;
    }

    bool SeesAddresses(Jid reader, in SenderFacts facts) =>
        !_options.Anonymous || AffiliationOf(reader, facts) >= Affiliation.Admin ||
        (_occupants.TryFind(reader, out var session) && session.Occupant.Role == Role.Moderator);
}
