using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

/// <summary>A title that a room gives to users (XEP-0317), for example "host".</summary>
/// <param name="Uri">What identifies it.</param>
/// <param name="Title">What people read.</param>
/// <param name="Hue">Hue angle of its colour as text (XEP-0392), or null.</param>
public sealed record RoomHat(string Uri, string Title, string? Hue = null)
{
    /// <summary>Bare JIDs of the users who wear it.</summary>
    public ImmutableArray<Jid> Wearers { get; init; } = [];
}

/// <summary>What a room shows of itself and its users beside the options: its vCard with the picture, and
/// hats.</summary>
public sealed record RoomProfile
{
    const string VCardName = "vcard", HatsName = "hats";

    /// <summary>Nothing.</summary>
    public static readonly RoomProfile Empty = new();

    /// <summary>The room's vCard (XEP-0486), or null.</summary>
    public Element? VCard { get; init; }
    /// <summary>The hats, in the order in which they were made.</summary>
    public ImmutableArray<RoomHat> Hats { get; init; } = [];

    /// <summary>The profile as text, under names that no option has: so it can be kept together with
    /// <see cref="RoomOptions.ToText"/>. What is empty is left out.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<string>> ToText()
    {
        var text = new Dictionary<string, ImmutableArray<string>>(StringComparer.Ordinal);
        if (VCard is not null) text[VCardName] = [StanzaWriter.ToText(VCard)];
        // One text a hat, one line a part; the parts have no line breaks.
        if (!Hats.IsEmpty) text[HatsName] = [.. Hats.Select(hat => string.Join('\n',
            [hat.Uri, hat.Title, hat.Hue ?? "", .. hat.Wearers.Select(user => user.ToString())]))];
        return text;
    }

    /// <summary>Reads what <see cref="ToText"/> wrote. Other names and what cannot be read are left out.</summary>
    public static RoomProfile FromText(IEnumerable<KeyValuePair<string, ImmutableArray<string>>> values)
    {
        var profile = Empty;
        foreach (var (name, texts) in values)
        {
            if (name == VCardName && texts is [var xml]) profile = profile with { VCard = ReadXml(xml) };
            if (name == HatsName) profile = profile with { Hats = [.. texts.Select(ReadHat).OfType<RoomHat>()] };
        }
        return profile;
    }

    static RoomHat? ReadHat(string text)
    {
        string[] lines = text.Split('\n');
        if (lines.Length < 3) return null;
        return new RoomHat(lines[0], lines[1], lines[2].Length == 0 ? null : lines[2])
        {
            Wearers = [.. lines[3..].Select(line => Jid.TryParse(line, out var user) ? user : default)
                .Where(user => !user.IsNone)],
        };
    }

    static Element? ReadXml(string xml)
    {
        var reader = new StanzaReader(XmlLimits.Unbounded, StanzaReaderMode.Document);
        var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(xml));
        return reader.TryRead(bytes, out _, out var item) ? item.Element : null;
    }
}
