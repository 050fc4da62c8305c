using Muster.Protocol.Xml;

namespace Muster.Protocol.Stanzas;

/// <summary>A stream error: the stream is closed after it (RFC 6120 §4.9).</summary>
/// <param name="Condition">Name of the defined condition (RFC 6120 §4.9.3).</param>
/// <param name="Text">Human-readable explanation, or null.</param>
/// <param name="Application">Application-specific condition element, or null.</param>
public sealed record StreamError(string Condition, string? Text = null, Element? Application = null)
{
#pragma warning disable CS1591 // the names are the conditions of RFC 6120 §4.9.3, in its order
    public static readonly StreamError BadFormat = new("bad-format");
    public static readonly StreamError BadNamespacePrefix = new("bad-namespace-prefix");
    public static readonly StreamError Conflict = new("conflict");
    public static readonly StreamError ConnectionTimeout = new("connection-timeout");
    public static readonly StreamError HostGone = new("host-gone");
    public static readonly StreamError HostUnknown = new("host-unknown");
    public static readonly StreamError ImproperAddressing = new("improper-addressing");
    public static readonly StreamError InternalServerError = new("internal-server-error");
    public static readonly StreamError InvalidFrom = new("invalid-from");
    public static readonly StreamError InvalidNamespace = new("invalid-namespace");
    public static readonly StreamError InvalidXml = new("invalid-xml");
    public static readonly StreamError NotAuthorized = new("not-authorized");
    public static readonly StreamError NotWellFormed = new("not-well-formed");
    public static readonly StreamError PolicyViolation = new("policy-violation");
    public static readonly StreamError RemoteConnectionFailed = new("remote-connection-failed");
    public static readonly StreamError Reset = new("reset");
    public static readonly StreamError ResourceConstraint = new("resource-constraint");
    public static readonly StreamError RestrictedXml = new("restricted-xml");
    public static readonly StreamError SystemShutdown = new("system-shutdown");
    public static readonly StreamError UndefinedCondition = new("undefined-condition");
    public static readonly StreamError UnsupportedEncoding = new("unsupported-encoding");
    public static readonly StreamError UnsupportedFeature = new("unsupported-feature");
    public static readonly StreamError UnsupportedStanzaType = new("unsupported-stanza-type");
    public static readonly StreamError UnsupportedVersion = new("unsupported-version");
#pragma warning restore CS1591

    /// <summary>The same error with an explanation for a person to read.</summary>
    public StreamError WithText(string text) => this with { Text = text };

    /// <summary>The <c>stream:error</c> element.</summary>
    public Element ToElement() => new(Namespaces.Streams, "error",
        new Element(Namespaces.StreamErrors, Condition),
        Text is null ? null : new Element(Namespaces.StreamErrors, "text", Text),
        Application);
}
