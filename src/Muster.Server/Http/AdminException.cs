using Microsoft.AspNetCore.Http;
using Muster.Protocol.Stanzas;
using Muster.Server.Storage;

namespace Muster.Server.Http;

/// <summary>A mistake of whoever asked the admin API: an HTTP status and a line that says what is wrong.</summary>
sealed class AdminException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>What was asked for cannot be meant so.</summary>
    public static AdminException Invalid(string message) => new(StatusCodes.Status400BadRequest, message);

    /// <summary>What was named is not there.</summary>
    public static AdminException NotFound(string message) => new(StatusCodes.Status404NotFound, message);

    /// <summary>It does not fit what is there.</summary>
    public static AdminException Conflict(string message) => new(StatusCodes.Status409Conflict, message);

    /// <summary>A room's refusal, in the words of HTTP.</summary>
    /// <param name="error">What the room answered.</param>
    /// <param name="what">What was to be done, completing "... is refused".</param>
    public static AdminException Of(StanzaError error, string what)
    {
        int status = error.Condition switch
        {
            "item-not-found" or "gone" => StatusCodes.Status404NotFound,
            "bad-request" or "jid-malformed" or "not-acceptable" => StatusCodes.Status400BadRequest,
            "service-unavailable" or "resource-constraint" or "internal-server-error" =>
                StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status409Conflict,
        };
        return new AdminException(status, $"{what} is refused: {error.Text ?? error.Condition}");
    }

    /// <summary>The status of a store's failure.</summary>
    public static int StatusOf(StorageFault fault) => fault switch
    {
        StorageFault.Conflict or StorageFault.NotWritable => StatusCodes.Status409Conflict,
        StorageFault.NotSupported => StatusCodes.Status501NotImplemented,
        StorageFault.Full => StatusCodes.Status507InsufficientStorage,
        _ => StatusCodes.Status503ServiceUnavailable,
    };
}
