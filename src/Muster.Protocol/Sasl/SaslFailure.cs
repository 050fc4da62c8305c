using Muster.Protocol.Xml;

namespace Muster.Protocol.Sasl;

/// <summary>Why authentication failed: one of the conditions of RFC 6120 §6.5, and optionally a text for
/// people.</summary>
/// <param name="Condition">Name of the defined condition.</param>
/// <param name="Text">Explanation, or null. Never says whether an account exists.</param>
public sealed record SaslFailure(string Condition, string? Text = null)
{
#pragma warning disable CS1591 // the names are the conditions of RFC 6120 §6.5, in its order
    public static readonly SaslFailure Aborted = new("aborted");
    public static readonly SaslFailure AccountDisabled = new("account-disabled");
    public static readonly SaslFailure CredentialsExpired = new("credentials-expired");
    public static readonly SaslFailure EncryptionRequired = new("encryption-required");
    public static readonly SaslFailure IncorrectEncoding = new("incorrect-encoding");
    public static readonly SaslFailure InvalidAuthzid = new("invalid-authzid");
    public static readonly SaslFailure InvalidMechanism = new("invalid-mechanism");
    public static readonly SaslFailure MalformedRequest = new("malformed-request");
    public static readonly SaslFailure MechanismTooWeak = new("mechanism-too-weak");
    public static readonly SaslFailure NotAuthorized = new("not-authorized");
    public static readonly SaslFailure TemporaryAuthFailure = new("temporary-auth-failure");
#pragma warning restore CS1591

    /// <summary>The same failure with an explanation for a person to read.</summary>
    public SaslFailure WithText(string text) => this with { Text = text };

    /// <summary>The <c>failure</c> element. The condition keeps the namespace of RFC 6120 in XEP-0388 too.</summary>
    /// <param name="ns">Namespace of the profile: RFC 6120's, or that of XEP-0388.</param>
    public Element ToElement(string ns = Namespaces.Sasl) => new(ns, "failure",
        new Element(Namespaces.Sasl, Condition),
        Text is null ? null : new Element(ns, "text", Text));
}
