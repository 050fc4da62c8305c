using System.IO.Pipelines;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Muster.Core.Streams;
using Muster.Protocol.Xml;
using Muster.Server.Peers;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>The rules for the connections of other servers. All times are swept, so late by up to a second.</summary>
sealed record PeerSettings
{
    /// <summary>The rules of the stream.</summary>
    public required PeerPolicy Policy { get; init; }

    /// <summary>Bounds on stanzas.</summary>
    public XmlLimits Limits { get; init; } = new();

    /// <summary>How long a peer may take to prove who it is.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that it may send before.</summary>
    public int LoginBytesMax { get; init; } = 65_536;

    /// <summary>How long connecting may take, on the side that connects.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A stream that carried nothing for this long is closed.</summary>
    public TimeSpan StreamTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A stream that was opened to ask about a key is closed when it has been idle for this long.</summary>
    public TimeSpan UnusedTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the peer has to end its side after ours has ended (RFC 6120 §4.4).</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes that may wait for a peer to read them; the stream of a slower one is closed.</summary>
    public int OutboundBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes a second that one domain may bring, over all its streams; null for no limit.</summary>
    public int? BytesPerSecondMax { get; init; }

    /// <summary>Connections at a time.</summary>
    public int ConnectionsMax { get; init; } = int.MaxValue;

    /// <summary>The certificate to show, in both roles; null without TLS.</summary>
    public CertificateSource? Certificate { get; init; }

    /// <summary>Authorities that are trusted beside those of the system.</summary>
    public X509Certificate2Collection Authorities { get; init; } = [];

    /// <summary>True when the connections of a listener begin inside TLS (XEP-0368).</summary>
    public bool BeginsInTls { get; init; }

    /// <summary>Stanzas that may be unacknowledged before an acknowledgement is asked for (XEP-0198).</summary>
    public int UnackedMax { get; init; }

    /// <summary>How long it may take to come; zero for ever.</summary>
    public TimeSpan AckDelayMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Unacknowledged stanzas that are kept.</summary>
    public int AckQueueMax { get; init; } = 10_000;

    /// <summary>How long a broken stream may be resumed.</summary>
    public TimeSpan ResumeTime { get; init; } = TimeSpan.FromSeconds(120);
}

/// <summary>What the connections of other servers need of this one; shared by all of them.</summary>
sealed record PeerServices(
    IPeerHost Host, ConnectionTimers Timers, PeerMeters Meters, ILogger Log, ILogger Stanzas)
{
    /// <summary>How fast each other domain may send.</summary>
    public DomainShapers Shapers { get; } = new();
}

/// <summary>A connection to another server that was just made.</summary>
/// <param name="Pipe">Its bytes.</param>
/// <param name="Abort">Breaks it.</param>
/// <param name="Address">Where it leads, for logs.</param>
/// <param name="BeginsInTls">Whether TLS comes first.</param>
sealed record PeerTransport(IDuplexPipe Pipe, Action Abort, string Address, bool BeginsInTls);
