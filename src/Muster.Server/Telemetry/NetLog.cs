using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of connections. Event ids 1000 to 1099.</summary>
static partial class NetLog
{
    [LoggerMessage(1000, LogLevel.Debug, "{Conn} connected from {Remote} on {Listener}")]
    public static partial void Connected(this ILogger log, string conn, string remote, string listener);

    [LoggerMessage(1001, LogLevel.Debug, "{Conn} disconnected: {Reason}; jid {Jid}")]
    public static partial void Disconnected(this ILogger log, string conn, string reason, Jid jid);

    [LoggerMessage(1002, LogLevel.Information, "{Conn} logged in as {Jid} with {Mechanism}")]
    public static partial void LoggedIn(this ILogger log, string conn, Jid jid, string mechanism);

    [LoggerMessage(1003, LogLevel.Information, "{Conn} from {Remote} failed to log in as {Jid}: {Reason}")]
    public static partial void LoginFailed(this ILogger log, string conn, string remote, Jid jid, string reason);

    [LoggerMessage(1004, LogLevel.Debug, "{Conn} bound {Jid}")]
    public static partial void Bound(this ILogger log, string conn, Jid jid);

    [LoggerMessage(1005, LogLevel.Information, "{Conn} closed with {Condition}: {Text}; jid {Jid}")]
    public static partial void StreamErrorSent(this ILogger log, string conn, string condition, string? text, Jid jid);

    [LoggerMessage(1006, LogLevel.Information, "{Conn} from {Remote}: TLS handshake failed: {Reason}")]
    public static partial void TlsFailed(this ILogger log, string conn, string remote, string reason);

    [LoggerMessage(1007, LogLevel.Warning, "{Conn} reads too slowly: {Bytes} bytes wait; jid {Jid}")]
    public static partial void Overflowed(this ILogger log, string conn, int bytes, Jid jid);

    [LoggerMessage(1008, LogLevel.Error, "{Conn} failed; jid {Jid}")]
    public static partial void ConnectionFailed(this ILogger log, Exception error, string conn, Jid jid);

    [LoggerMessage(1009, LogLevel.Error, "{Conn}: ending the session of {Jid} failed")]
    public static partial void EndFailed(this ILogger log, Exception error, string conn, Jid jid);

    [LoggerMessage(1010, LogLevel.Warning, "refused a connection from {Remote}: {Reason}")]
    public static partial void ConnectionRefused(this ILogger log, string remote, string reason);

    [LoggerMessage(1011, LogLevel.Information, "certificate {File} loaded, valid until {Until}")]
    public static partial void CertificateLoaded(this ILogger log, string file, DateTimeOffset until);

    [LoggerMessage(1012, LogLevel.Warning, "certificate {File} cannot be loaded, the one before stays: {Reason}")]
    public static partial void CertificateNotLoaded(this ILogger log, string file, string reason);

    [LoggerMessage(1013, LogLevel.Trace, "{Conn} < {Xml}")]
    public static partial void Read(this ILogger log, string conn, string xml);

    [LoggerMessage(1014, LogLevel.Trace, "{Conn} > {Xml}")]
    public static partial void Written(this ILogger log, string conn, string xml);

    [LoggerMessage(1015, LogLevel.Warning, "{Conn}: the account of {Jid} could not be looked up: {Reason}")]
    public static partial void LookupFailed(this ILogger log, string conn, Jid jid, string reason);

    [LoggerMessage(1016, LogLevel.Information, "{Conn} made too many bytes or seconds before login")]
    public static partial void LoginLimit(this ILogger log, string conn);

    [LoggerMessage(1017, LogLevel.Error, "background work failed")]
    public static partial void BackgroundFailed(this ILogger log, Exception error);
}
