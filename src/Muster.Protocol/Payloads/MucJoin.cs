using System.Globalization;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>The <c>x</c> of muc in the presence that enters a room (XEP-0045 §7.2 #enter, §19.1).</summary>
/// <param name="Password">The password given, or null when there is none; an empty one is a password.</param>
/// <param name="History">Which history is wanted, or null for what the room gives by itself.</param>
/// <param name="Affiliations">Which version of the affiliations is known (XEP-0463), or null when they are not
/// wanted.</param>
public sealed record MucJoin(string? Password = null, MucHistoryRequest? History = null,
    MucVersion? Affiliations = null)
{
    /// <summary>The <c>x</c> element.</summary>
    public Element ToElement() => new(Namespaces.Muc, "x",
        Password is null ? null : new Element(Namespaces.Muc, "password", Password),
        History?.ToElement(), Affiliations?.ToElement());

    /// <summary>Reads an <c>x</c>; nothing in it can make entering fail but the password.</summary>
    public static MucJoin Read(Element x) => new(
        MucItem.TextOf(x, "password"),
        x.Child("history") is { } history ? MucHistoryRequest.Read(history) : null,
        MucVersion.Of(x));
}

/// <summary>Limits on the history sent on entering (XEP-0045 §7.2.14 #enter-managehistory). All that are set apply
/// together.</summary>
/// <param name="MaxChars">Characters of the complete stanzas, or null.</param>
/// <param name="MaxStanzas">Messages, or null.</param>
/// <param name="Seconds">Only messages of that many last seconds, or null.</param>
/// <param name="Since">Only messages since then, or null.</param>
public sealed record MucHistoryRequest(
    int? MaxChars = null, int? MaxStanzas = null, int? Seconds = null, DateTimeOffset? Since = null)
{
    /// <summary>The <c>history</c> element.</summary>
    public Element ToElement() => new Element(Namespaces.Muc, "history")
        .With("maxchars", MaxChars?.ToString(CultureInfo.InvariantCulture))
        .With("maxstanzas", MaxStanzas?.ToString(CultureInfo.InvariantCulture))
        .With("seconds", Seconds?.ToString(CultureInfo.InvariantCulture))
        .With("since", Since is { } since ? Timestamp.Format(since) : null);

    /// <summary>Reads a <c>history</c>. A value that is negative, too large or not readable sets no limit.</summary>
    public static MucHistoryRequest Read(Element history) => new(
        Number(history, "maxchars"), Number(history, "maxstanzas"), Number(history, "seconds"),
        Timestamp.TryParse(history.Attribute("since"), out var since) ? since : null);

    static int? Number(Element element, string attribute) =>
        int.TryParse(element.Attribute(attribute), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;
}
