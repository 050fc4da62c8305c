using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Server.Net;

/// <summary>The rules of one listener for the connections of clients. All times are swept, so late by up to a
/// second.</summary>
sealed record ClientSettings
{
    /// <summary>The rules of the stream.</summary>
    public required ClientPolicy Policy { get; init; }

    /// <summary>Bounds on stanzas once the client has logged in.</summary>
    public XmlLimits Limits { get; init; } = new();

    /// <summary>Bounds on what may be sent before: nothing that a login needs is large.</summary>
    public XmlLimits LoginLimits { get; init; } =
        new(ItemBytesMax: 16_384, DepthMax: 16, AttributesMax: 32, PrefixesMax: 16);

    /// <summary>How long a connection may stay without a bound resource.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that a client may send before it is bound.</summary>
    public int LoginBytesMax { get; init; } = 65_536;

    /// <summary>Silence after which the client is pinged (XEP-0199 §4.1).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a pinged client may stay silent before its connection is given up.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the peer has to end its side after ours has ended (RFC 6120 §4.4).</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an acknowledgement may be owed before that is an event (XEP-0198); zero for ever.</summary>
    public TimeSpan AckDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it may be owed before the connection is given up; zero for ever.</summary>
    public TimeSpan AckTimeout { get; init; }

    /// <summary>Stanzas that wait for an inactive client to be active (XEP-0352) before they are sent all the
    /// same.</summary>
    public int WaitingStanzasMax { get; init; } = 1000;

    /// <summary>Bytes that may wait for a client to read them; a slower one is disconnected.</summary>
    public int OutboundBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes a second that a client may send; null for no limit.</summary>
    public int? BytesPerSecondMax { get; init; }

    /// <summary>Which accounts may log in here.</summary>
    public Func<Jid, bool> MayLogIn { get; init; } = static _ => true;

    /// <summary>Connections at a time.</summary>
    public int ConnectionsMax { get; init; } = int.MaxValue;

    /// <summary>The certificate for STARTTLS or TLS, or null when there is neither.</summary>
    public CertificateSource? Certificate { get; init; }

    /// <summary>True when the connection begins inside TLS (XEP-0368).</summary>
    public bool BeginsInTls { get; init; }

    /// <summary>Connections at a time from one address.</summary>
    public int ConnectionsPerAddressMax { get; init; } = int.MaxValue;
}
