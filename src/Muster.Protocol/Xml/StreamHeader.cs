using Muster.Protocol.Addresses;

namespace Muster.Protocol.Xml;

/// <summary>The attributes of a stream's start (RFC 6120 §4.7, RFC 7395 §3.4), for writing one.</summary>
public readonly record struct StreamHeader()
{
    /// <summary>Who opens this stream, or <see cref="Jid.None"/>.</summary>
    public Jid From { get; init; }
    /// <summary>The other side, or <see cref="Jid.None"/>.</summary>
    public Jid To { get; init; }
    /// <summary>The stream's id, which the receiving side gives (RFC 6120 §4.7.3), or null.</summary>
    public string? Id { get; init; }
    /// <summary>The version of the protocol (RFC 6120 §4.7.5), or null for none.</summary>
    public string? Version { get; init; } = "1.0";
    /// <summary>Default language of texts (RFC 6120 §4.7.4), or null.</summary>
    public string? Lang { get; init; }
    /// <summary>The default namespace of a TCP stream (RFC 6120 §4.8.2); a WebSocket stream declares none.</summary>
    public string ContentNamespace { get; init; } = Namespaces.Client;
    /// <summary>Whether to declare the prefix of server dialback (XEP-0220 §2.1), on a TCP stream.</summary>
    public bool Dialback { get; init; }
}
