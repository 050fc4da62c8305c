using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of rooms. Event ids 3000 to 3099.</summary>
static partial class RoomsLog
{
    [LoggerMessage(3000, LogLevel.Error, "room {room}: a decision failed; its occupants were asked to enter again")]
    public static partial void Broken(ILogger log, Jid room, Exception error);

    [LoggerMessage(3001, LogLevel.Warning, "room {room}: cannot be read, so nobody can enter: {problem}")]
    public static partial void Unreadable(ILogger log, Jid room, string problem);

    [LoggerMessage(3002, LogLevel.Error,
        "room {room}: {messages} messages could not be stored and were not shown: {problem}")]
    public static partial void CommitFailed(ILogger log, Jid room, int messages, string problem);

    [LoggerMessage(3006, LogLevel.Error, "room {room}: asking for a password failed")]
    public static partial void CheckFailed(ILogger log, Jid room, Exception error);

    [LoggerMessage(3003, LogLevel.Warning,
        "room {room}: when something last happened in it could not be stored: {problem}")]
    public static partial void ActivityNotKept(ILogger log, Jid room, string problem);

    [LoggerMessage(3010, LogLevel.Warning,
        "{service}: too much waits for members who are away; {copies} of them do not get a message of {room}")]
    public static partial void ForwardingFull(ILogger log, Jid service, Jid room, int copies);

    [LoggerMessage(3011, LogLevel.Information,
        "{service}: {domain} cannot be reached ({condition}); members there who are away get nothing for {pause}")]
    public static partial void ForwardingPaused(
        ILogger log, Jid service, Jid domain, string condition, TimeSpan pause);

    [LoggerMessage(3012, LogLevel.Information,
        "room {room}: nothing is sent to {member} any more, as all came back: {condition}")]
    public static partial void ForwardingStopped(ILogger log, Jid room, Jid member, string condition);

    [LoggerMessage(3013, LogLevel.Warning, "room {room}: a message for {member} was lost: {problem}")]
    public static partial void ForwardingFailed(ILogger log, Jid room, Jid member, string problem);

    [LoggerMessage(3014, LogLevel.Error, "room {room}: sending a message to {member}, who is away, failed")]
    public static partial void ForwardingBroken(ILogger log, Jid room, Jid member, Exception error);

    [LoggerMessage(3004, LogLevel.Information, "{service}: all {count} stored rooms are loaded")]
    public static partial void AllLoaded(ILogger log, Jid service, int count);

    [LoggerMessage(3005, LogLevel.Warning,
        "{service}: after {count} stored rooms no more could be loaded at the start: {problem}")]
    public static partial void LoadingFailed(ILogger log, Jid service, int count, string problem);
}
