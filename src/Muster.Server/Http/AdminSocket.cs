using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Muster.Server.Http;

/// <summary>The socket in the data folder by which the command line reaches the server.</summary>
static class AdminSocket
{
    // sun_path of Linux is 108 bytes with the zero at its end, that of macOS 104.
    const int PathBytesMax = 103;

    /// <summary>Its path.</summary>
    public static string PathOf(string folder) => Path.GetFullPath(Path.Combine(folder, "admin.sock"));

    /// <summary>Whether a path fits into the address of a socket.</summary>
    public static bool Fits(string path) => Encoding.UTF8.GetByteCount(path) <= PathBytesMax;

    /// <summary>Makes the path free: whoever holds the lock of the data folder is its only server, so a socket that is
    /// there was left behind by a dead one.</summary>
    /// <exception cref="StartException">The path is too long, or something that is no socket is in the way.</exception>
    public static string Prepare(string folder)
    {
        string path = PathOf(folder);
        if (!Fits(path))
        {
            throw new StartException($"the path of the data folder is too long: {path} must have at most "
                + $"{PathBytesMax} bytes, as it is a socket");
        }
        try
        {
            File.Delete(path);
            return path;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"{path} is in the way of the server's socket: {error.Message}", error);
        }
    }

    /// <summary>Binds the sockets of Kestrel; one in the file system is its owner's alone before anybody can
    /// connect.</summary>
    public static Socket Bind(EndPoint endPoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        if (endPoint is UnixDomainSocketEndPoint && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(endPoint.ToString()!, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return socket;
    }
}
