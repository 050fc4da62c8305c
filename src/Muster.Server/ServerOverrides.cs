using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Server.Net;
using Muster.Server.Storage;

namespace Muster.Server;

/// <summary>What a test, or the command line, puts in the place of the real thing.</summary>
sealed record ServerOverrides
{
    /// <summary>The time.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where log lines go.</summary>
    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;

    /// <summary>How connections to other servers are made; null for TCP, and the DNS.</summary>
    public PeerConnect? ConnectPeer { get; init; }

    /// <summary>Authorities for the certificates of browsers' push services; null for those of the system.</summary>
    public X509Certificate2Collection? WebPushRoots { get; init; }

    /// <summary>False for a server that only administers its data: its one listener is the socket for that.</summary>
    public bool OpensListeners { get; init; } = true;

    /// <summary>An open database; null opens the one of the configuration. The host closes it.</summary>
    public Database? Database { get; init; }
}
