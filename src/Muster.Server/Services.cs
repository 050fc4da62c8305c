using Microsoft.Extensions.Logging;
using Muster.Core.Limits;
using Muster.Server.Accounts;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <summary>The parts of a running server that features and rooms stand on. Built once, in <c>ServerHost</c>.</summary>
sealed record Services(
    Router Router,
    SessionTable Sessions,
    Database Database,
    AccountStates Accounts,
    AccountBook AccountBook,
    InviteBook Invites,
    RegistrationSettings Registration,
    ServerLimits Limits,
    LocalDomain Local,
    TimeProvider Clock,
    Meters Meters,
    ILoggerFactory Logs)
{
    /// <summary>Where features log.</summary>
    public ILogger Log { get; } = Logs.CreateLogger("Muster.Server.Features");
}
