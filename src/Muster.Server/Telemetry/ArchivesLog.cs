using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of archives. Event ids 2100 to 2149.</summary>
static partial class ArchivesLog
{
    [LoggerMessage(2100, LogLevel.Error, "the archive of {archive} could not be read for {asker}: {problem}")]
    public static partial void Unreadable(ILogger log, Jid archive, Jid asker, string problem);

    [LoggerMessage(2101, LogLevel.Error, "a question of {asker} to the archive of {archive} failed")]
    public static partial void Failed(ILogger log, Jid archive, Jid asker, Exception error);

    [LoggerMessage(2102, LogLevel.Error, "{archive}: the archived message {id} cannot be read and was left out")]
    public static partial void EntryUnreadable(ILogger log, Jid archive, long id);

    [LoggerMessage(2103, LogLevel.Information, "{count} messages older than {days} days were removed from archives")]
    public static partial void Purged(ILogger log, int count, int days);
}
