using Microsoft.Extensions.Logging;

namespace Muster.Server.Storage;

/// <summary>What the stores tell the operator.</summary>
internal static partial class StorageLog
{
    [LoggerMessage(3001, LogLevel.Information, "Storage: {Database}, schema {Version}")]
    public static partial void Opened(ILogger log, string database, int version);

    [LoggerMessage(3002, LogLevel.Information, "Storage: migrated from schema {From} to {To}")]
    public static partial void Migrated(ILogger log, int from, int to);

    [LoggerMessage(3003, LogLevel.Error, "Storage: writing fails ({Fault}): {Reason}")]
    public static partial void WriteFails(ILogger log, StorageFault fault, string reason);

    [LoggerMessage(3004, LogLevel.Information, "Storage: writing works again")]
    public static partial void WriteWorksAgain(ILogger log);

    [LoggerMessage(3005, LogLevel.Warning, "Storage: messages of removed archives are not all deleted yet: {Reason}")]
    public static partial void SweepFails(ILogger log, string reason);
}
