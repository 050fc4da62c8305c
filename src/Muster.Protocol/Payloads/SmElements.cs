using System.Globalization;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>
/// The elements of stream management (XEP-0198): written and read, nothing decided. Each takes the namespace of the
/// version that the peer speaks (<c>urn:xmpp:sm:3</c> or <c>:2</c>), as it is answered in its own.
/// </summary>
public static class SmElements
{
    /// <summary>Whether an element belongs to stream management.</summary>
    public static bool Has(Element element) =>
        element.Namespace is Namespaces.StreamManagement or Namespaces.StreamManagement2;

    /// <summary>The features that announce it (§3), one for each version.</summary>
    public static IReadOnlyList<Element> Features { get; } =
        [new(Namespaces.StreamManagement2, "sm"), new(Namespaces.StreamManagement, "sm")];

    /// <summary>It is on (§3).</summary>
    /// <param name="ns">The version.</param>
    /// <param name="token">What the session is resumed with, or null when it cannot be.</param>
    /// <param name="max">How long a session without connection waits; told with a token alone.</param>
    public static Element Enabled(string ns, string? token, TimeSpan max)
    {
        var enabled = new Element(ns, "enabled");
        if (token is null) return enabled;
        // Some clients read no 1 here, though it is a boolean (stream-management.md §1).
        return enabled.With("id", token).With("resume", "true")
            .With("max", ((long)max.TotalSeconds).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>What was asked for is not done (§3, §5).</summary>
    /// <param name="ns">The version.</param>
    /// <param name="error">Why; only its condition is written.</param>
    /// <param name="handled">Stanzas handled in the session that cannot be resumed, where it is known.</param>
    public static Element Failed(string ns, StanzaError error, uint? handled = null)
    {
        var failed = new Element(ns, "failed", new Element(Namespaces.StanzaErrors, error.Condition));
        return handled is { } h ? failed.With("h", Text(h)) : failed;
    }

    /// <summary>The session goes on (§5).</summary>
    public static Element Resumed(string ns, string token, uint handled) =>
        new Element(ns, "resumed").With("h", Text(handled)).With("previd", token);

    /// <summary>An acknowledgement (§4).</summary>
    public static Element Ack(string ns, uint handled) => new Element(ns, "a").With("h", Text(handled));

    /// <summary>Asks for one (§4).</summary>
    public static Element Request(string ns) => new(ns, "r");

    /// <summary>The peer has acknowledged more than it was sent (§4): ends the stream.</summary>
    /// <param name="ns">The version.</param>
    /// <param name="handled">What it said.</param>
    /// <param name="sent">What was sent.</param>
    public static StreamError TooHigh(string ns, uint handled, uint sent) => StreamError.UndefinedCondition with
    {
        Text = string.Create(CultureInfo.InvariantCulture,
            $"you acknowledged {handled} stanzas, but only {sent} were sent"),
        Application = new Element(ns, "handled-count-too-high")
            .With("h", Text(handled)).With("send-count", Text(sent)),
    };

    /// <summary>The count of an <c>a</c> or a <c>resume</c>; null when it is not one (§4: xs:unsignedInt).</summary>
    public static uint? ReadHandled(Element element) =>
        uint.TryParse(element.Attribute("h"), NumberStyles.None, CultureInfo.InvariantCulture, out uint h) ? h : null;

    /// <summary>Whether an <c>enable</c> asks for a session that can be resumed.</summary>
    public static bool WantsResumption(Element enable) => enable.Attribute("resume") is "true" or "1";

    /// <summary>How long the client would like a session to wait, or null when it does not say.</summary>
    public static TimeSpan? ReadMax(Element enable) =>
        uint.TryParse(enable.Attribute("max"), NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds)
            ? TimeSpan.FromSeconds(seconds) : null;

    static string Text(uint number) => number.ToString(CultureInfo.InvariantCulture);
}
