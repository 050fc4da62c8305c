using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of push notifications. Event ids 2200 to 2249.</summary>
static partial class PushLog
{
    [LoggerMessage(2200, LogLevel.Information,
        "{user} is no longer woken by {app}: {errors} errors in a row, at last {condition}")]
    public static partial void Removed(ILogger log, Jid user, Jid app, int errors, string condition);

    [LoggerMessage(2201, LogLevel.Information, "{user} is no longer woken by {app}: the service has sent word")]
    public static partial void RemovedByService(ILogger log, Jid user, Jid app);

    [LoggerMessage(2202, LogLevel.Warning,
        "more than {max} pieces of work wait for push notifications: some are dropped")]
    public static partial void Full(ILogger log, int max);

    [LoggerMessage(2203, LogLevel.Error, "a push notification failed")]
    public static partial void Failed(ILogger log, Exception error);

    [LoggerMessage(2204, LogLevel.Warning, "push registrations could not be read or written: {problem}")]
    public static partial void StoreFailed(ILogger log, string problem);

    // The host alone: whoever knows the whole address can send there.
    [LoggerMessage(2205, LogLevel.Debug, "{host} refused a push to a browser with status {status}")]
    public static partial void WebRefused(ILogger log, string host, int status);

    [LoggerMessage(2206, LogLevel.Information, "no push to a browser by {host}: {problem}")]
    public static partial void WebFailed(ILogger log, string host, string problem);
}
