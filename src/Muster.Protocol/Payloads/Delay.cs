using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>When a stanza was sent that is delivered later (XEP-0203).</summary>
/// <param name="Stamp">When it was sent.</param>
/// <param name="From">Who delayed it: a room, or a server's domain; <see cref="Jid.None"/> when it is not said.</param>
/// <param name="Reason">Text for people, or null.</param>
public sealed record Delay(DateTimeOffset Stamp, Jid From = default, string? Reason = null)
{
    /// <summary>The <c>delay</c> element; the stamp in UTC (XEP-0203 §2).</summary>
    public Element ToElement()
    {
        var delay = new Element(Namespaces.Delay, "delay", Reason);
        if (!From.IsNone) delay = delay.With("from", From.ToString());
        return delay.With("stamp", Timestamp.Format(Stamp));
    }

    /// <summary>Reads a <c>delay</c>; null when its stamp cannot be read. A <c>from</c> that is no address is left
    /// out.</summary>
    public static Delay? Read(Element delay)
    {
        if (!Timestamp.TryParse(delay.Attribute("stamp"), out var stamp)) return null;
        _ = Jid.TryParse(delay.Attribute("from"), out var from);
        return new(stamp, from, delay.Text is { Length: > 0 } reason ? reason : null);
    }

    /// <summary>True for a <c>delay</c> that speaks in the name of <paramref name="by"/>. Who is <paramref name="by"/>
    /// takes
    /// it out of what others send, as only its own word counts.</summary>
    public static bool IsBy(Element element, Jid by) =>
        element.Is(Namespaces.Delay, "delay") && Jid.TryParse(element.Attribute("from"), out var from) && from == by;
}
