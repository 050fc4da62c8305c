using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// The room's own vCard, which carries its picture (XEP-0486).
public sealed partial class Room
{
    static readonly StanzaError AvatarDenied = StanzaError.Forbidden.WithText("Only owners are allowed to set avatars");
    static readonly StanzaError VCardTooLarge = StanzaError.PolicyViolation.WithText("The vCard is too large");
    static readonly StanzaError PictureUnreadable = StanzaError.BadRequest.WithText("The picture is not Base64");

    RoomProfile _profile = RoomProfile.Empty;
    List<string> _avatarHashes = [];

    StanzaError? AnswerVCard(Iq iq, List<RoomEffect> effects) =>
        // XEP-0054 §3.2: an entity without one answers with an empty one.
        Succeed(iq, _profile.VCard ?? new Element(Namespaces.VcardTemp, "vCard"), effects);

    StanzaError? ReceiveVCard(Iq iq, Element card, in RoomInput input, List<RoomEffect> effects)
    {
        if (AffiliationOf(iq.From, input.Sender) != Affiliation.Owner) return AvatarDenied;
        if (SizeOf(iq) > Policy.VCardBytesMax) return VCardTooLarge;
        if (!TryHash(card, out var hashes)) return PictureUnreadable;
        _avatarHashes = hashes;
        // XEP-0486 §4: an empty vCard takes the avatar away.
        SetProfile(_profile with { VCard = card.IsEmpty ? null : card }, effects);
        Succeed(iq, null, effects);
        Notify(input, effects, MucStatus.ConfigurationChanged);
        return null;
    }

    void SetProfile(RoomProfile profile, List<RoomEffect> effects)
    {
        _profile = profile;
        Persist(new RoomChange.Configured(_options, profile), effects);
    }

    /// <summary>The hashes of the picture in a vCard, one for each of its formats (XEP-0486 §5.1). False when it
    /// cannot be read.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "XEP-0153 §3 lays down SHA-1 as the name of the picture.")]
    static bool TryHash(Element? card, out List<string> hashes)
    {
        hashes = [];
        foreach (var photo in card?.Children(Namespaces.VcardTemp, "PHOTO") ?? [])
        {
            if (photo.Child("BINVAL") is not { } picture) continue;
            byte[] bytes = new byte[picture.Text.Length];
            if (!Convert.TryFromBase64String(picture.Text, bytes, out int count)) return false;
            hashes.Add(Convert.ToHexStringLower(SHA1.HashData(bytes.AsSpan(0, count))));
        }
        return true;
    }
}
