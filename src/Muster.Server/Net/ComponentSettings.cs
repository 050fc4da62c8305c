using Microsoft.Extensions.Logging;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Components;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>The rules of one listener for components. All times are swept, so late by up to a second.</summary>
sealed record ComponentSettings
{
    /// <summary>The rules of the stream.</summary>
    public required ComponentPolicy Policy { get; init; }

    /// <summary>Who may send to the components of the listener.</summary>
    public Func<Jid, bool> MaySend { get; init; } = static _ => true;

    /// <summary>Whether a component takes the place of one that serves the same domain.</summary>
    public bool KicksOld { get; init; }

    /// <summary>Bounds on stanzas once the component is known.</summary>
    public XmlLimits Limits { get; init; } = new();

    /// <summary>Bounds on what may be sent before: a start and a hash.</summary>
    public XmlLimits LoginLimits { get; init; } =
        new(ItemBytesMax: 16_384, DepthMax: 4, AttributesMax: 32, PrefixesMax: 16);

    /// <summary>How long a component may take to prove that it knows the secret.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that it may send before.</summary>
    public int LoginBytesMax { get; init; } = 65_536;

    /// <summary>How long the component has to end its side after ours has ended (RFC 6120 §4.4).</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A space is sent where nothing else was for this long, so that a connection that is dead is found out
    /// (RFC 6120 §4.6.1).</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that may wait for a component to read them; a slower one is disconnected.</summary>
    public int OutboundBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes a second that one connection may bring; null for no limit.</summary>
    public int? BytesPerSecondMax { get; init; }

    /// <summary>Connections at a time.</summary>
    public int ConnectionsMax { get; init; } = int.MaxValue;

    /// <summary>The certificate of connections that begin inside TLS; null for plain text.</summary>
    public CertificateSource? Certificate { get; init; }
}

/// <summary>What the connections of components need of the server; shared by all of them.</summary>
sealed record ComponentServices(
    IComponentHost Host, ConnectionTimers Timers, ComponentMeters Meters, ILogger Log, ILogger Stanzas);
