using Microsoft.Extensions.Logging;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of administration. Event ids 4100 to 4199.</summary>
static partial class AdminLog
{
    [LoggerMessage(4100, LogLevel.Error, "admin API: {Method} {Path} failed")]
    public static partial void AdminFailed(this ILogger log, string method, string path, Exception error);

    [LoggerMessage(4101, LogLevel.Information, "configuration: {Change}")]
    public static partial void ConfigApplied(this ILogger log, string change);

    [LoggerMessage(4102, LogLevel.Warning, "configuration: waits for a restart: {Change}")]
    public static partial void ConfigWaits(this ILogger log, string change);

    [LoggerMessage(4103, LogLevel.Error, "configuration: not reloaded: {Problem}")]
    public static partial void ConfigRefused(this ILogger log, string problem);
}
