using Microsoft.Extensions.Logging;

namespace Muster.Server.Storage;

/// <summary>What is logged of storage. Event ids 5000 to 5099.</summary>
internal static partial class StorageLog
{
    [LoggerMessage(5001, LogLevel.Information, "Storage: {Database}, schema {Version}")]
    public static partial void Opened(ILogger log, string database, int version);

    [LoggerMessage(5002, LogLevel.Information, "Storage: migrated from schema {From} to {To}")]
    public static partial void Migrated(ILogger log, int from, int to);

    [LoggerMessage(5003, LogLevel.Error, "Storage: writing fails ({Fault}): {Reason}")]
    public static partial void WriteFails(ILogger log, StorageFault fault, string reason);

    [LoggerMessage(5004, LogLevel.Information, "Storage: writing works again")]
    public static partial void WriteWorksAgain(ILogger log);

    [LoggerMessage(5005, LogLevel.Warning, "Storage: messages of removed archives are not all deleted yet: {Reason}")]
    public static partial void SweepFails(ILogger log, string reason);
}
