using Microsoft.Extensions.Logging;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of HTTP. Event ids 6000 to 6099.</summary>
static partial class HttpLog
{
    [LoggerMessage(6000, LogLevel.Warning, "outgoing_pools.http.{pool}: a request failed: {problem}")]
    public static partial void HttpPoolFailed(this ILogger log, string pool, string problem);
}
