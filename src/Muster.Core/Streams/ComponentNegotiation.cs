using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>The stream of an external component that connected to this server: <c>jabber:component:accept</c> of
/// XEP-0114. It decides what is answered until the component is known, and what it may send then.</summary>
public sealed class ComponentNegotiation(ComponentPolicy policy)
{
    string _streamId = "";
    bool _isOpen;

    /// <summary>The domain that the component asked for; none before.</summary>
    public Jid Domain { get; private set; }

    /// <summary>Whether it has proved that it knows the secret.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>True once the stream is over.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The only door: takes what was read, adds what is to be done.</summary>
    /// <param name="item">What the reader found.</param>
    /// <param name="streamId">A fresh, unpredictable id, should this open the stream (RFC 6120 §4.7.3).</param>
    /// <param name="effects">What is to be done.</param>
    public void Handle(XmlItem item, string streamId, List<ComponentEffect> effects)
    {
        if (IsClosed) return;
        switch (item.Kind)
        {
            case XmlItemKind.StreamOpen: ReceiveHeader(item, streamId, effects); break;
            // RFC 6120 §4.9.1.1: the one who gets an error ends the stream too.
            case XmlItemKind.Element when item.Element!.Is(Namespaces.Streams, "error"): Close(null, effects); break;
            case XmlItemKind.Element when !IsConnected: ReceiveHandshake(item.Element!, effects); break;
            case XmlItemKind.Element:
                if (ProblemOf(item.Element!) is { } error) Close(error, effects);
                else effects.Add(new ComponentEffect.Receive(item.Element!));
                break;
            case XmlItemKind.StreamClose: Close(null, effects); break;
            case XmlItemKind.Error: Close(item.Error, effects); break;
            default: break;
        }
    }

    void ReceiveHeader(XmlItem item, string streamId, List<ComponentEffect> effects)
    {
        if (_isOpen)
        {
            Close(StreamError.BadFormat.WithText("the stream is open already"), effects);
            return;
        }
        _isOpen = true;
        _streamId = streamId;
        _ = Jid.TryParse(item.Element!.Attribute("to"), out var domain);
        var error = CheckHeader(item.Element, item.ContentNamespace, domain);
        // XEP-0114 §3: an error in the start is told inside a stream. A version is not told: with 1.0 a component would
        // wait for features.
        effects.Add(new ComponentEffect.Open(new StreamHeader
        {
            From = error is null ? domain : policy.DefaultHost,
            Id = streamId,
            Version = null,
            ContentNamespace = Namespaces.Component,
        }));
        if (error is null) Domain = domain;
        else Close(error, effects);
    }

    StreamError? CheckHeader(Element header, string? contentNamespace, Jid domain)
    {
        // RFC 6120 §4.9.3.10.
        if (!header.Is(Namespaces.Streams, "stream"))
            return StreamError.InvalidNamespace.WithText("a stream begins with <stream:stream/>");
        if (contentNamespace != Namespaces.Component)
            return StreamError.InvalidNamespace.WithText($"the content namespace here is {Namespaces.Component}");
        // XEP-0114 §3: 'to' is the component's own name.
        if (!domain.IsDomain) return StreamError.HostUnknown.WithText("'to' must be the component's domain");
        return policy.ProblemOf(domain);
    }

    void ReceiveHandshake(Element element, List<ComponentEffect> effects)
    {
        // RFC 6120 §4.9.3.12: nothing is taken before.
        if (!element.Is(Namespaces.Client, "handshake"))
            Close(StreamError.NotAuthorized.WithText("a <handshake/> comes first"), effects);
        else if (!IsProof(element.Text.Trim()))
            Close(StreamError.NotAuthorized.WithText("the secret of this listener is another one"), effects);
        else
        {
            IsConnected = true;
            effects.Add(new ComponentEffect.Connected(Domain, new Element(Namespaces.Client, "handshake")));
        }
    }

    /// <summary>Whether a text proves that the secret is known: compared in constant time.</summary>
    bool IsProof(string given)
    {
        // XEP-0114 §3 wants a secret with characters such as & escaped before it is hashed; most components do not.
        byte[] proof = Encoding.UTF8.GetBytes(given);
        bool isPlain = CryptographicOperations.FixedTimeEquals(proof, Hash(policy.Secret));
        bool isEscaped = CryptographicOperations.FixedTimeEquals(proof, Hash(Escape(policy.Secret)));
        return isPlain | isEscaped;
    }

#pragma warning disable CA5350 // the specification has no other hash
    byte[] Hash(string secret) =>
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(_streamId + secret))));
#pragma warning restore CA5350

    static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("'", "&apos;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal);

    /// <summary>What is wrong with a stanza so that the stream ends; null when nothing is.</summary>
    StreamError? ProblemOf(Element element)
    {
        // RFC 6120 §4.9.3.24.
        if (element.Namespace != Namespaces.Client || element.Name is not ("message" or "presence" or "iq"))
            return StreamError.UnsupportedStanzaType.WithText($"<{element.Name}/> is not understood here");
        // XEP-0114 §3, as between servers: both addresses are there, and are some.
        bool addressed = Jid.TryParse(element.Attribute("from"), out var from);
        if (!Jid.TryParse(element.Attribute("to"), out _) || !addressed)
            return StreamError.ImproperAddressing.WithText("a component's stanza has a valid 'from' and 'to'");
        return policy.ChecksFrom && from.DomainJid != Domain
            ? StreamError.InvalidFrom.WithText($"this stream is {Domain}'s, not {from.DomainJid}'s")
            : null;
    }

    void Close(StreamError? error, List<ComponentEffect> effects)
    {
        IsClosed = true;
        effects.Add(new ComponentEffect.Close(error));
    }
}
