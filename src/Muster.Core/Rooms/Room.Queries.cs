using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Requests (iq): those to the room are answered by the part they belong to; those to an occupant are passed on with
// both sides' occupant JIDs (XEP-0045 §17.4 #bizrules-iq, muc.md §7).
public sealed partial class Room
{
    const int RelayTagBytes = 12;
    const int RelayTagChars = RelayTagBytes / 3 * 4;

    static readonly StanzaError NotInsideForQuery =
        StanzaError.NotAcceptable.WithText("Only occupants are allowed to send queries to the conference");
    static readonly StanzaError QueriesForbidden =
        StanzaError.NotAllowed.WithText("Queries to the conference members are not allowed in this room");

    StanzaError? ReceiveIq(Iq iq, in RoomInput input, List<RoomEffect> effects)
    {
        if (iq.To.IsFull)
        {
            if (iq.IsRequest) return RelayRequest(iq, effects);
            RelayAnswer(iq, effects);
            return null;
        }
        if (!iq.IsRequest)
        {
            ReceiveProbeAnswer(iq, effects);
            return null;
        }
        // The table of what a room answers; RFC 6120 §8.3.3.19: service-unavailable for what is not in it.
        bool get = iq.Type == IqType.Get;
        return iq.Payload switch
        {
            { Namespace: Namespaces.DiscoInfo, Name: "query" } q =>
                get ? AnswerInfo(iq, q, input, effects) : StanzaError.NotAllowed,
            { Namespace: Namespaces.DiscoItems, Name: "query" } q =>
                get ? AnswerItems(iq, q, input, effects) : StanzaError.NotAllowed,
            { Namespace: Namespaces.MucAdmin, Name: "query" } q =>
                get ? AnswerList(iq, q, input, effects) : ReceiveAdminSet(iq, q, input, effects),
            { Namespace: Namespaces.MucOwner, Name: "query" } q =>
                get ? AnswerForm(iq, input, effects) : ReceiveOwnerSet(iq, q, input, effects),
            { Namespace: Namespaces.Register, Name: "query" } q =>
                get ? AnswerRegistration(iq, input, effects) : ReceiveRegistration(iq, q, input, effects),
            { Namespace: ArchiveRequest.Namespace } q when Policy.AnswersArchiveQueries =>
                ReceiveArchiveQuery(iq, q, input, effects),
            { Namespace: ModerateNamespace, Name: "moderate" } m when !get => Moderate(iq, m, input, effects),
            { Namespace: Namespaces.VcardTemp, Name: "vCard" } card =>
                get ? AnswerVCard(iq, effects) : ReceiveVCard(iq, card, input, effects),
            { Namespace: CommandsNamespace, Name: "command" } c when !get => ReceiveCommand(iq, c, input, effects),
            { Namespace: Namespaces.Ping, Name: "ping" } when get => Succeed(iq, null, effects),
            _ => StanzaError.ServiceUnavailable,
        };
    }

    static StanzaError? Succeed(Iq iq, Element? payload, List<RoomEffect> effects)
    {
        effects.Add(new RoomEffect.Send(iq.Result(payload)));
        return null;
    }

    StanzaError? RelayRequest(Iq iq, List<RoomEffect> effects)
    {
        // XEP-0410 §3.2: not-acceptable tells a self-ping that its sender is not inside.
        if (!_occupants.TryFind(iq.From, out var asker)) return NotInsideForQuery;
        if (!_occupants.TryNick(iq.To.Resource, out var target)) return NoRecipient;
        bool self = target == asker.Occupant;
        // XEP-0410 §3.3 #self-ping-optimization: the room knows the answer itself, whichever session would reply.
        if (self && iq.Type == IqType.Get && iq.Payload!.Is(Namespaces.Ping, "ping")) return Succeed(iq, null, effects);
        if (!_options.AllowQueries) return QueriesForbidden;
        var to = IsForAccount(iq.Payload!) ? target.User : target.Representative.Real;
        string id = RelayTag(asker.Real, target.Nick, iq.Id) + iq.Id;
        effects.Add(new RoomEffect.Send(iq.Readdressed(asker.Occupant.InRoom, to).WithId(id)));
        return null;
    }

    /// <summary>An answer finds the session that asked by the tag in its id: nothing has to be remembered
    /// meanwhile.</summary>
    void RelayAnswer(Iq iq, List<RoomEffect> effects)
    {
        if (iq.Id.Length < RelayTagChars || !_occupants.TryNick(iq.To.Resource, out var asker)) return;
        if (iq.From.IsFull && !_occupants.TryFind(iq.From, out _)) return;
        string id = iq.Id[RelayTagChars..];
        foreach (var target in _occupants.OfUser(iq.From.Bare))
        {
            foreach (var session in asker.Sessions)
            {
                if (!iq.Id.AsSpan(0, RelayTagChars).SequenceEqual(RelayTag(session.Real, target.Nick, id))) continue;
                effects.Add(new RoomEffect.Send(Veiled(iq).Readdressed(target.InRoom, session.Real).WithId(id)));
                return;
            }
        }
    }

    /// <summary>What makes the id of a passed-on request ours: a keyed hash of who asked whom, so that nobody can make
    /// up an answer.</summary>
    string RelayTag(Jid asker, string nick, string id)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        // No part can contain U+0000, which XML does not allow.
        HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"iq\0{asker}\0{nick}\0{id}"), hash);
        return Base64Url.EncodeToString(hash[..RelayTagBytes]);
    }

    // muc.md §7: an account answers these, not a device: vcard-temp, PEP, vCard4.
    static bool IsForAccount(Element payload) => payload.Namespace is
        Namespaces.VcardTemp or "http://jabber.org/protocol/pubsub" or "urn:ietf:params:xml:ns:vcard-4.0";
}
