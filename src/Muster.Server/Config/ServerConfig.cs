using System.Net;

namespace Muster.Server.Config;

/// <summary>The whole configuration, read and checked. It never changes: a reload makes another one.</summary>
/// <remarks>
/// Every class below reads one table. An option is one property with one statement, from which the reader, the checks,
/// <c>config describe</c> and docs/config.md all come (see <see cref="Section"/>).
/// </remarks>
sealed class ServerConfig(Section s)
{
    public GeneralConfig General { get; } = s.Table("general", "The server as a whole.", t => new GeneralConfig(t));
    public StorageConfig Storage { get; } = s.Table("storage", "Where everything is kept.", t => new StorageConfig(t));
    public ListenConfig Listen { get; } = s.Table("listen", ListenText, t => new ListenConfig(t));
    public AuthConfig Auth { get; } = s.Table("auth", "How clients prove who they are.", t => new AuthConfig(t));
    public RegistrationConfig Registration { get; } =
        s.Table("registration", "How accounts come into being.", t => new RegistrationConfig(t));

    const string ListenText = "The doors of the server. A file that names no listener at all gets c2s 5222, s2s " +
        "5269 and http 5280, on 127.0.0.1; one that does gets exactly those it names.";

    /// <summary>Everything at its default: what a first start without a file uses.</summary>
    public static ServerConfig Default { get; } = ConfigCheck.Parse("", "defaults").Config!;

    /// <summary>The domain that speaks while a connection has not said which one it wants.</summary>
    public string DefaultDomain => General.DefaultServerDomain ?? General.Hosts[0];

    /// <summary>Whether only this machine reaches the address.</summary>
    internal static bool IsLoopback(IPAddress address) =>
        IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
