using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Federation;

/// <summary>Prosody, as Debian ships it.</summary>
sealed class Prosody : PeerProgram
{
    const string Template = """
        run_as_root = true
        pidfile = "FOLDER/pid"
        data_path = "FOLDER/data"
        log = { debug = "FOLDER/log" }
        interfaces = { "127.0.0.1" }
        local_interfaces = { "127.0.0.1" }
        c2s_ports = { CLIENTS }
        c2s_direct_tls_ports = {}
        s2s_ports = { SERVERS }
        s2s_direct_tls_ports = {}
        modules_enabled = { "roster", "saslauth", "tls", "dialback", "disco", "ping", "smacks", "s2s_bidi" }
        storage = "internal"
        authentication = "internal_plain"
        c2s_require_encryption = false
        allow_unencrypted_plain_auth = true
        s2s_require_encryption = true
        s2s_secure_auth = SECURE
        ssl = { certificate = "CERT"; key = "KEY"; cafile = "AUTHORITY" }
        unbound = {
            resolvconf = false; hoststxt = false; forward = "127.0.0.1@NAMES";
            options = { ["do-not-query-localhost:"] = "no" };
        }
        VirtualHost "DOMAIN"
        Component "conference.DOMAIN" "muc"
            muc_room_locking = false
        """;

    Prosody(string domain) : base(domain) { }

    /// <summary>Starts one.</summary>
    /// <param name="domain">Its domain.</param>
    /// <param name="users">Accounts, whose passwords are their names.</param>
    /// <param name="authority">Who issues its certificate.</param>
    /// <param name="trusted">File of the authority that it trusts.</param>
    /// <param name="dns">Where it looks for other servers.</param>
    /// <param name="isSecure">Whether it takes proofs by certificate alone.</param>
    public static async Task<Prosody> StartAsync(
        string domain, string[] users, TestAuthority authority, string trusted, ScriptedDns dns, bool isSecure)
    {
        var server = new Prosody(domain);
        var (cert, key) = authority.Issue([domain, $"conference.{domain}"]);
        string config = Path.Combine(server.Folder, "prosody.cfg.lua");
        await File.WriteAllTextAsync(config, Template
            .Replace("FOLDER", server.Folder, StringComparison.Ordinal)
            .Replace("CLIENTS", $"{server.ClientPort}", StringComparison.Ordinal)
            .Replace("SERVERS", $"{server.PeerPort}", StringComparison.Ordinal)
            .Replace("SECURE", isSecure ? "true" : "false", StringComparison.Ordinal)
            .Replace("CERT", cert, StringComparison.Ordinal).Replace("KEY", key, StringComparison.Ordinal)
            .Replace("AUTHORITY", trusted, StringComparison.Ordinal)
            .Replace("NAMES", $"{dns.EndPoint.Port}", StringComparison.Ordinal)
            .Replace("DOMAIN", domain, StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(server.Folder, "data"));
        foreach (string user in users)
        {
            var made = await Command.RunAsync("prosodyctl", ["--config", config, "register", user, domain, user]);
            Assert.True(made.Exit == 0, made.Output);
        }
        await server.RunAsync("prosody", ["--config", config, "-F"]);
        return server;
    }
}
