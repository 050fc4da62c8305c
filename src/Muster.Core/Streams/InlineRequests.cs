using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>What stands in an <c>authenticate</c> beside the SASL message (XEP-0388 §initiation): who the client is,
/// and what it wants done with its login in the same round trip.</summary>
sealed record InlineRequests
{
    /// <summary>XEP-0388 has a UUID there, which is 36 characters. Any text is taken, as it is used only as a whole,
    /// but no long one.</summary>
    const int AgentIdCharsMax = 128;
    const int ClientBytes = 16;

    /// <summary>The name of the mechanism.</summary>
    public required string Mechanism { get; init; }

    /// <summary>Text of the initial response, or null when there is none.</summary>
    public string? InitialResponse { get; init; }

    /// <summary>Stands for the client installation that said its id (a hash of it, so that the id itself is kept
    /// nowhere); null when it did not.</summary>
    public string? Client { get; init; }

    /// <summary>Random text of this attempt.</summary>
    public required string Nonce { get; init; }

    /// <summary>The request to bind a resource (XEP-0386), or null.</summary>
    public Element? Bind { get; init; }

    /// <summary>The request to go on with an earlier session (XEP-0198 §5), or null.</summary>
    public Element? Resume { get; init; }

    /// <summary>The mechanism for which the client wants a token (XEP-0484 §initial-auth), or null.</summary>
    public string? TokenMechanism { get; init; }

    /// <summary>True when the client says that it logs in with a token (XEP-0484 §fast-auth).</summary>
    public bool HasToken { get; init; }

    /// <summary>The client's count of its attempts with the token, or null.</summary>
    public long? Count { get; init; }

    /// <summary>True when the token shall be good no longer (XEP-0484 §invalidation).</summary>
    public bool Invalidates { get; init; }

    /// <summary>Reads the element; null when it is malformed.</summary>
    public static InlineRequests? Read(Element authenticate, string nonce)
    {
        if (!TryOne(authenticate, Namespaces.Sasl2, "initial-response", out var response) ||
            !TryOne(authenticate, Namespaces.Sasl2, "user-agent", out var agent) ||
            !TryOne(authenticate, Namespaces.Bind2, "bind", out var bind) ||
            !TryOne(authenticate, Namespaces.StreamManagement, "resume", out var resume) ||
            !TryOne(authenticate, Namespaces.Fast, "request-token", out var request) ||
            !TryOne(authenticate, Namespaces.Fast, "fast", out var fast))
            return null;
        string id = agent?.Attribute("id") ?? "";
        if (id.Length > AgentIdCharsMax) return null;
        if (!TryCount(fast?.Attribute("count"), out long? count)) return null;
        if (!TryFlag(fast?.Attribute("invalidate"), out bool invalidates)) return null;
        return new InlineRequests
        {
            Mechanism = authenticate.Attribute("mechanism") ?? "",
            InitialResponse = response?.Text,
            Client = id.Length == 0 ? null : HashOf(id),
            Nonce = nonce,
            Bind = bind,
            Resume = resume,
            TokenMechanism = request?.Attribute("mechanism"),
            HasToken = fast is not null,
            Count = count,
            Invalidates = invalidates,
        };
    }

    static string HashOf(string id) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, ClientBytes));

    /// <summary>A child that may stand there once.</summary>
    static bool TryOne(Element parent, string ns, string name, out Element? child)
    {
        child = null;
        foreach (var found in parent.Children(ns, name))
        {
            if (child is not null) return false;
            child = found;
        }
        return true;
    }

    static bool TryCount(string? text, out long? count)
    {
        count = null;
        if (text is null) return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)) return false;
        count = number;
        return true;
    }

    static bool TryFlag(string? text, out bool flag)
    {
        flag = text is "1" or "true";
        return text is null or "0" or "false" || flag;
    }
}
