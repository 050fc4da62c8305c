using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Stanzas;

/// <summary>What the sender of a refused stanza may do about it (RFC 6120 §8.3.2).</summary>
public enum StanzaErrorType
{
    /// <summary>Do not retry: the error cannot be remedied.</summary>
    Cancel,
    /// <summary>Proceed: the condition was only a warning.</summary>
    Continue,
    /// <summary>Retry after changing the data sent.</summary>
    Modify,
    /// <summary>Retry after providing credentials.</summary>
    Auth,
    /// <summary>Retry after waiting: the error is temporary.</summary>
    Wait,
}

/// <summary>A stanza error as a value: the defined condition with the type that the RFC gives it, and optional
/// details.</summary>
/// <param name="Type">What the sender may do.</param>
/// <param name="Condition">Name of the defined condition (RFC 6120 §8.3.3).</param>
/// <param name="Text">Human-readable explanation, or null.</param>
/// <param name="ConditionText">Content of the condition element: the address in <c>gone</c> and <c>redirect</c>, else
/// null.</param>
/// <param name="Application">Application-specific condition element, or null.</param>
/// <param name="By">Who detected the error (RFC 6120 §8.3.2), or <see cref="Jid.None"/>.</param>
public sealed record StanzaError(
    StanzaErrorType Type, string Condition, string? Text = null, string? ConditionText = null,
    Element? Application = null, Jid By = default)
{
#pragma warning disable CS1591 // the names are the conditions of RFC 6120 §8.3.3, in its order and with its types
    public static readonly StanzaError BadRequest = new(StanzaErrorType.Modify, "bad-request");
    public static readonly StanzaError Conflict = new(StanzaErrorType.Cancel, "conflict");
    public static readonly StanzaError FeatureNotImplemented = new(StanzaErrorType.Cancel, "feature-not-implemented");
    public static readonly StanzaError Forbidden = new(StanzaErrorType.Auth, "forbidden");
    public static readonly StanzaError Gone = new(StanzaErrorType.Cancel, "gone");
    public static readonly StanzaError InternalServerError = new(StanzaErrorType.Cancel, "internal-server-error");
    public static readonly StanzaError ItemNotFound = new(StanzaErrorType.Cancel, "item-not-found");
    public static readonly StanzaError JidMalformed = new(StanzaErrorType.Modify, "jid-malformed");
    public static readonly StanzaError NotAcceptable = new(StanzaErrorType.Modify, "not-acceptable");
    public static readonly StanzaError NotAllowed = new(StanzaErrorType.Cancel, "not-allowed");
    public static readonly StanzaError NotAuthorized = new(StanzaErrorType.Auth, "not-authorized");
    public static readonly StanzaError PolicyViolation = new(StanzaErrorType.Modify, "policy-violation");
    public static readonly StanzaError RecipientUnavailable = new(StanzaErrorType.Wait, "recipient-unavailable");
    public static readonly StanzaError Redirect = new(StanzaErrorType.Modify, "redirect");
    public static readonly StanzaError RegistrationRequired = new(StanzaErrorType.Auth, "registration-required");
    public static readonly StanzaError RemoteServerNotFound = new(StanzaErrorType.Cancel, "remote-server-not-found");
    public static readonly StanzaError RemoteServerTimeout = new(StanzaErrorType.Wait, "remote-server-timeout");
    public static readonly StanzaError ResourceConstraint = new(StanzaErrorType.Wait, "resource-constraint");
    public static readonly StanzaError ServiceUnavailable = new(StanzaErrorType.Cancel, "service-unavailable");
    public static readonly StanzaError SubscriptionRequired = new(StanzaErrorType.Auth, "subscription-required");
    public static readonly StanzaError UndefinedCondition = new(StanzaErrorType.Modify, "undefined-condition");
    public static readonly StanzaError UnexpectedRequest = new(StanzaErrorType.Wait, "unexpected-request");
#pragma warning restore CS1591

    /// <summary>The same error with an explanation for a person to read.</summary>
    public StanzaError WithText(string text) => this with { Text = text };

    /// <summary>The <c>error</c> element.</summary>
    public Element ToElement()
    {
        var error = new Element(Namespaces.Client, "error",
            new Element(Namespaces.StanzaErrors, Condition, ConditionText),
            Text is null ? null : new Element(Namespaces.StanzaErrors, "text", Text),
            Application)
            .With("type", Type.ToString().ToLowerInvariant());
        return By.IsNone ? error : error.With("by", By.ToString());
    }

    /// <summary>Reads an <c>error</c> element leniently: what peers leave out becomes <c>cancel</c> and
    /// <c>undefined-condition</c>.</summary>
    public static StanzaError Read(Element error)
    {
        var condition = error.Elements.FirstOrDefault(e => e.Namespace == Namespaces.StanzaErrors && e.Name != "text");
        var type = error.Attribute("type") switch
        {
            "continue" => StanzaErrorType.Continue,
            "modify" => StanzaErrorType.Modify,
            "auth" => StanzaErrorType.Auth,
            "wait" => StanzaErrorType.Wait,
            _ => StanzaErrorType.Cancel,
        };
        _ = Jid.TryParse(error.Attribute("by"), out var by);
        string text = condition?.Text ?? "";
        return new(type, condition?.Name ?? "undefined-condition", error.Child(Namespaces.StanzaErrors, "text")?.Text,
            text.Length == 0 ? null : text,
            error.Elements.FirstOrDefault(e => e.Namespace != Namespaces.StanzaErrors), by);
    }
}
