using Microsoft.Extensions.Logging;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of public logs of rooms. Event ids 3100 to 3199.</summary>
static partial class PublicLogsLog
{
    [LoggerMessage(3100, LogLevel.Warning,
        "public logs of rooms in {folder}: {lines} lines are lost since this was last told: {problem}")]
    public static partial void Lost(ILogger log, string folder, long lines, string problem);
}
