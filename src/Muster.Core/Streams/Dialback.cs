using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>A domain of this server and one of another, between which stanzas flow.</summary>
/// <param name="Local">The domain that this server serves.</param>
/// <param name="Remote">The other server's domain.</param>
public readonly record struct PeerPair(Jid Local, Jid Remote)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Local} and {Remote}";
}

/// <summary>What the authoritative server says of a dialback key (XEP-0220 §2.1.2).</summary>
public enum KeyOutcome
{
    /// <summary>It made the key: the stream that the key came from is its own.</summary>
    Valid,
    /// <summary>It did not: somebody claims a domain that is not his.</summary>
    Invalid,
    /// <summary>It cannot be found, or does not serve the domain.</summary>
    NotFound,
    /// <summary>It did not answer.</summary>
    Timeout,
}

/// <summary>The keys and the elements of server dialback (XEP-0220, XEP-0185).</summary>
public static class Dialback
{
    /// <summary>The stream feature that promises to answer with errors instead of ending the stream (XEP-0220
    /// §2.4.2).</summary>
    public const string FeatureNamespace = "urn:xmpp:features:dialback";

    /// <summary>The key by which a server recognises later that a stream is its own.</summary>
    /// <param name="secret">A secret of the servers of the originating domain.</param>
    /// <param name="receiving">The domain that the stream goes to.</param>
    /// <param name="originating">The domain that the stream claims to come from.</param>
    /// <param name="streamId">The id that the receiving side gave the stream.</param>
    public static string Key(ReadOnlySpan<byte> secret, Jid receiving, Jid originating, string streamId)
    {
        // XEP-0185 §2: the hash of the secret counts in its hexadecimal form.
        byte[] hashed = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(secret)));
        byte[] text = Encoding.UTF8.GetBytes($"{receiving} {originating} {streamId}");
        return Convert.ToHexStringLower(HMACSHA256.HashData(hashed, text));
    }

    /// <summary>Whether this is the key; compared in constant time.</summary>
    public static bool IsKey(
        string given, ReadOnlySpan<byte> secret, Jid receiving, Jid originating, string streamId) =>
        CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(given.Trim()),
            Encoding.UTF8.GetBytes(Key(secret, receiving, originating, streamId)));

    /// <summary>The stream feature.</summary>
    public static Element Feature() =>
        new(FeatureNamespace, "dialback", new Element(FeatureNamespace, "errors"));

    /// <summary>Asks to be heard as a domain: step 1.</summary>
    public static Element Result(PeerPair pair, string key) =>
        Addressed(new Element(Namespaces.Dialback, "result", key), pair.Local, pair.Remote);

    /// <summary>Answers such a request: step 4.</summary>
    public static Element ResultAnswer(PeerPair pair, bool isValid) =>
        Addressed(new Element(Namespaces.Dialback, "result"), pair.Local, pair.Remote)
            .With("type", isValid ? "valid" : "invalid");

    /// <summary>Asks the authoritative server about a key: step 2.</summary>
    public static Element Verify(PeerPair pair, string streamId, string key) =>
        Addressed(new Element(Namespaces.Dialback, "verify", key), pair.Local, pair.Remote).With("id", streamId);

    /// <summary>Refuses a request with an error, which harms the stream's other domains as little as it can (XEP-0220
    /// §2.5).</summary>
    /// <param name="request">The request; its addresses are swapped, as they are.</param>
    /// <param name="error">Why.</param>
    public static Element Refuse(Element request, StanzaError error) =>
        Swapped(request, new Element(Namespaces.Dialback, request.Name, error.ToElement())).With("type", "error");

    /// <summary>Answers a question about a key: step 3.</summary>
    public static Element VerifyAnswer(Element request, bool isValid) =>
        Swapped(request, new Element(Namespaces.Dialback, "verify")).With("type", isValid ? "valid" : "invalid");

    /// <summary>The addresses of an element, when both are domains.</summary>
    public static bool TryAddresses(Element element, out Jid from, out Jid to)
    {
        to = default;
        return Jid.TryParse(element.Attribute("from"), out from) && from.IsDomain
            && Jid.TryParse(element.Attribute("to"), out to) && to.IsDomain;
    }

    static Element Addressed(Element element, Jid from, Jid to) =>
        element.With("from", from.ToString()).With("to", to.ToString());

    static Element Swapped(Element request, Element answer) =>
        answer.With("from", request.Attribute("to")).With("to", request.Attribute("from"))
            .With("id", request.Attribute("id"));
}
