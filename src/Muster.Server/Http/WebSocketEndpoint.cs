using Microsoft.AspNetCore.Http;
using Muster.Core.Streams;
using Muster.Server.Net;

namespace Muster.Server.Http;

/// <summary>RFC 7395: XMPP over WebSocket. Clients are the same as those over TCP; only the framing differs.</summary>
/// <remarks>Any page may connect, whatever its origin: a login needs a password, which no foreign page has, and nothing
/// here goes by cookies.</remarks>
static class WebSocketEndpoint
{
    const string Subprotocol = "xmpp";

    // No pings of the library's own, which would cost a timer a connection: the connection asks idle clients itself.
    static readonly WebSocketAcceptContext Accepted = new()
    {
        SubProtocol = Subprotocol,
        KeepAliveInterval = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Serves one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="clients">Who takes the connection.</param>
    public static async Task HandleAsync(HttpContext context, ClientListener clients)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            // RFC 9110 §15.5.22.
            context.Response.Headers.Upgrade = "websocket";
            await RefuseAsync(context, StatusCodes.Status426UpgradeRequired, "This is for WebSocket clients.");
            return;
        }
        // RFC 7395 §3.1: the subprotocol is required; without it the other side means something else.
        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(Subprotocol))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "Ask for the subprotocol xmpp.");
            return;
        }
        string remote = context.Connection.RemoteIpAddress?.ToString() ?? "local";
        using var place = clients.Admit(remote);
        if (place.Refusal is not null)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, place.Refusal);
            return;
        }
        var secure = context.Request.IsHttps ? new NegotiationInput.TlsStarted(null, []) : null;
        using var socket = await context.WebSockets.AcceptWebSocketAsync(Accepted);
        var framing = new WebSocketFraming(socket, clients.Settings.LoginLimits, context.Abort);
        await clients.RunAsync(framing, remote, secure);
    }

    static Task RefuseAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(text);
    }
}
