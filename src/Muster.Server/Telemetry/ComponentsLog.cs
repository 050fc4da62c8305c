using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of external components. Event ids 7200 to 7299.</summary>
static partial class ComponentsLog
{
    [LoggerMessage(7200, LogLevel.Debug, "{Conn} from {Address}: a component connects")]
    public static partial void ComponentConnecting(this ILogger log, string conn, string address);

    [LoggerMessage(7201, LogLevel.Information, "{Conn} from {Address}: component {Domain} is connected")]
    public static partial void ComponentConnected(this ILogger log, string conn, string address, Jid domain);

    [LoggerMessage(7202, LogLevel.Warning, "{Conn}: component {Domain} is gone: {Reason}")]
    public static partial void ComponentGone(this ILogger log, string conn, Jid domain, string reason);

    [LoggerMessage(7203, LogLevel.Warning, "{Conn} from {Address} as component {Domain}: closed with {Condition}: " +
        "{Text}")]
    public static partial void ComponentErrorSent(
        this ILogger log, string conn, string address, Jid domain, string condition, string? text);

    [LoggerMessage(7204, LogLevel.Debug, "{Conn} from {Address} disconnected: {Reason}")]
    public static partial void ComponentDisconnected(this ILogger log, string conn, string address, string reason);

    [LoggerMessage(7205, LogLevel.Warning, "refused a component's connection from {Address}: {Reason}")]
    public static partial void ComponentRefused(this ILogger log, string address, string reason);

    [LoggerMessage(7206, LogLevel.Error, "{Conn} of component {Domain} failed")]
    public static partial void ComponentFailed(this ILogger log, Exception error, string conn, Jid domain);
}
