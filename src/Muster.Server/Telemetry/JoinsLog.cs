using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of sessions in rooms of other servers. Event ids 7100 to 7149.</summary>
static partial class JoinsLog
{
    [LoggerMessage(7100, LogLevel.Information, "{Session} has dropped out of {Occupant}: {Reason}")]
    public static partial void Dropped(this ILogger log, Jid session, Jid occupant, string reason);

    [LoggerMessage(7101, LogLevel.Warning,
        "{Occupant} drops {Session} again and again: from now on it is asked less often")]
    public static partial void Flaps(this ILogger log, Jid session, Jid occupant);

    [LoggerMessage(7102, LogLevel.Warning, "{Session} is in more than {Max} rooms of other servers " +
        "(track_muc_joins_max): those that were silent longest are not looked after")]
    public static partial void TooManyRooms(this ILogger log, Jid session, int max);

    [LoggerMessage(7103, LogLevel.Warning,
        "too many rooms are to be asked at a time: {Occupant} and others are left for later")]
    public static partial void TooManyChecks(this ILogger log, Jid occupant);

    [LoggerMessage(7104, LogLevel.Warning, "the rooms that sessions are in could not be stored: {Problem}; " +
        "they are stored when that works again")]
    public static partial void JoinsNotStored(this ILogger log, string problem);

    [LoggerMessage(7105, LogLevel.Information,
        "{Count} sessions of the last process are gone: the rooms that they were in are told")]
    public static partial void ClearsGhosts(this ILogger log, int count);

    [LoggerMessage(7106, LogLevel.Information, "{Session} was brought back into {Occupant}")]
    public static partial void Rejoined(this ILogger log, Jid session, Jid occupant);

    [LoggerMessage(7107, LogLevel.Information, "{Session} could not be brought back into {Occupant}: {Reason}")]
    public static partial void NotRejoined(this ILogger log, Jid session, Jid occupant, string reason);
}
