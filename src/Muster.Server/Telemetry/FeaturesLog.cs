using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of features. Event ids 4000 to 4099.</summary>
static partial class FeaturesLog
{
    [LoggerMessage(4000, LogLevel.Error, "answering {ns} of {jid} failed")]
    public static partial void HandlerFailed(ILogger log, string ns, Jid jid, Exception error);
}
