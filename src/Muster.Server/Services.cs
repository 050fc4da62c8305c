using Microsoft.Extensions.Logging;
using Muster.Core.Archive;
using Muster.Core.Limits;
using Muster.Server.Accounts;
using Muster.Server.Archives;
using Muster.Server.Features.Push;
using Muster.Server.Rooms;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <summary>The parts of a running server that features stand on. Built once, in <c>ServerHost</c>.</summary>
/// <remarks>Room services are found by their domain.</remarks>
sealed record Services(
    Router Router,
    SessionTable Sessions,
    Database Database,
    AccountStates Accounts,
    AccountBook AccountBook,
    InviteBook Invites,
    TokenBook Tokens,
    RegistrationSettings Registration,
    ServerLimits Limits,
    LocalDomain Local,
    ArchiveReaders Archives,
    IReadOnlyDictionary<string, RoomService> Rooms,
    TimeProvider Clock,
    Meters Meters,
    ILoggerFactory Logs)
{
    /// <summary>The ways to other servers.</summary>
    public required PeerRoutes Peers { get; init; }

    /// <summary>The domains of external components.</summary>
    public required ComponentRoutes Components { get; init; }

    /// <summary>Wakes devices that are away.</summary>
    public required PushService Pushes { get; init; }

    /// <summary>The push service for browsers; null where it is off.</summary>
    public WebPushService? WebPush { get; init; }

    /// <summary>How accounts come into being; a reload of the configuration replaces it.</summary>
    public RegistrationSettings Registration { get; set; } = Registration;

    /// <summary>The bounds in force; a reload of the configuration replaces them.</summary>
    public ServerLimits Limits { get; set; } = Limits;

    /// <summary>How ids of archives are written.</summary>
    public required ArchiveIds ArchiveIds { get; init; }

    /// <summary>Days for which archived messages are kept; null: for ever. A reload replaces it.</summary>
    public int? ArchiveRetention { get; set; }

    /// <summary>Where features log.</summary>
    public ILogger Log { get; } = Logs.CreateLogger("Muster.Server.Features");
}
