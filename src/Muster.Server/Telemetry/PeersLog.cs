using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of other servers. Event ids 7000 to 7099.</summary>
static partial class PeersLog
{
    [LoggerMessage(7000, LogLevel.Debug, "{Conn} with {Address}: connected, {Direction}")]
    public static partial void PeerConnected(this ILogger log, string conn, string address, string direction);

    [LoggerMessage(7001, LogLevel.Debug, "{Conn} with {Remote}: disconnected: {Reason}")]
    public static partial void PeerDisconnected(this ILogger log, string conn, Jid remote, string reason);

    [LoggerMessage(7002, LogLevel.Information, "{Conn}: {Remote} may speak to {Local}, proved by {Method}")]
    public static partial void PeerAccepted(this ILogger log, string conn, Jid remote, Jid local, string method);

    [LoggerMessage(7003, LogLevel.Information, "{Conn}: {Remote} takes stanzas of {Local}")]
    public static partial void PeerAuthorized(this ILogger log, string conn, Jid remote, Jid local);

    [LoggerMessage(7004, LogLevel.Warning, "{Remote} cannot be reached from {Local}: {Problem}")]
    public static partial void PeerUnreachable(this ILogger log, Jid remote, Jid local, string problem);

    [LoggerMessage(7005, LogLevel.Warning, "{Remote}: {Problem}")]
    public static partial void PeerTrouble(this ILogger log, Jid remote, string problem);

    [LoggerMessage(7006, LogLevel.Information, "{Conn} with {Remote}: closed with {Condition}: {Text}")]
    public static partial void PeerErrorSent(
        this ILogger log, string conn, Jid remote, string condition, string? text);

    [LoggerMessage(7007, LogLevel.Information, "{Conn} with {Remote}: it closed the stream with {Condition}: {Text}")]
    public static partial void PeerErrorReceived(
        this ILogger log, string conn, Jid remote, string condition, string? text);

    [LoggerMessage(7008, LogLevel.Warning, "{Conn} with {Remote}: TLS handshake failed: {Reason}")]
    public static partial void PeerTlsFailed(this ILogger log, string conn, Jid remote, string reason);

    [LoggerMessage(7009, LogLevel.Error, "{Conn} with {Remote} failed")]
    public static partial void PeerFailed(this ILogger log, Exception error, string conn, Jid remote);

    [LoggerMessage(7010, LogLevel.Warning, "refused a server's connection from {Address}: {Reason}")]
    public static partial void PeerRefused(this ILogger log, string address, string reason);

    [LoggerMessage(7011, LogLevel.Information, "{Remote}: {Bounced} stanzas came back and {Resent} are sent again, " +
        "as their stream died")]
    public static partial void PeerStanzasLost(this ILogger log, Jid remote, int bounced, int resent);

    [LoggerMessage(7012, LogLevel.Information, "{Conn}: the stream with {Remote} was resumed")]
    public static partial void PeerResumed(this ILogger log, string conn, Jid remote);
}
