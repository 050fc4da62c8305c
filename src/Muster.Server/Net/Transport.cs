using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;

namespace Muster.Server.Net;

/// <summary>What is true of all transports.</summary>
static class Transport
{
    /// <summary>Whether this is what a transport throws when it breaks, in all its kinds.</summary>
    public static bool IsBroken(Exception error) =>
        error is IOException or OperationCanceledException or ObjectDisposedException or AuthenticationException
            or SocketException or WebSocketException;
}
