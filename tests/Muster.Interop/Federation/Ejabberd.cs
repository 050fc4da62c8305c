using Muster.Testing;

namespace Muster.Interop.Federation;

/// <summary>ejabberd, as Debian ships it; without the distribution of Erlang, so that no daemon stays behind.</summary>
sealed class Ejabberd : PeerProgram
{
    const string Template = """
        hosts: ["DOMAIN"]
        loglevel: debug
        log_rotate_count: 0
        certfiles: ["FOLDER/cert.pem"]
        ca_file: AUTHORITY
        auth_method: internal
        auth_password_format: scram
        s2s_use_starttls: required
        s2s_max_retry_delay: 1
        listen:
          - port: CLIENTS
            ip: "127.0.0.1"
            module: ejabberd_c2s
          - port: SERVERS
            ip: "127.0.0.1"
            module: ejabberd_s2s_in
        modules:
          mod_roster: {}
          mod_disco: {}
          mod_ping: {}
          mod_stream_mgmt: {}
          DIALBACK
          mod_muc:
            access: all
            access_create: all
        """;

    Ejabberd(string domain) : base(domain) { }

    /// <summary>Starts one.</summary>
    /// <param name="domain">Its domain.</param>
    /// <param name="users">Accounts, whose passwords are their names.</param>
    /// <param name="authority">Who issues its certificate.</param>
    /// <param name="trusted">File of the authority that it trusts.</param>
    /// <param name="dns">Where it looks for other servers.</param>
    /// <param name="isSecure">Whether it takes proofs by certificate alone.</param>
    public static async Task<Ejabberd> StartAsync(
        string domain, string[] users, TestAuthority authority, string trusted, ScriptedDns dns, bool isSecure)
    {
        var server = new Ejabberd(domain);
        var (cert, key) = authority.Issue([domain, $"conference.{domain}"]);
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "cert.pem"),
            await File.ReadAllTextAsync(cert) + "\n" + await File.ReadAllTextAsync(key));
        string config = Path.Combine(server.Folder, "ejabberd.yml"), names = Path.Combine(server.Folder, "inetrc");
        await File.WriteAllTextAsync(config, Template
            .Replace("FOLDER", server.Folder, StringComparison.Ordinal)
            .Replace("CLIENTS", $"{server.ClientPort}", StringComparison.Ordinal)
            .Replace("SERVERS", $"{server.PeerPort}", StringComparison.Ordinal)
            .Replace("AUTHORITY", trusted, StringComparison.Ordinal)
            .Replace("DIALBACK", isSecure ? "mod_time: {}" : "mod_s2s_dialback: {}", StringComparison.Ordinal)
            .Replace("DOMAIN", domain, StringComparison.Ordinal));
        // Without the second line the system's resolv.conf would take the place of the name server.
        await File.WriteAllTextAsync(names,
            $"{{lookup, [dns]}}.\n{{resolv_conf, \"\"}}.\n{{nameserver, {{127,0,0,1}}, {dns.EndPoint.Port}}}.\n");
        string accounts = string.Concat(users.Select(user =>
            $", ok = ejabberd_auth:try_register(<<\"{user}\">>, <<\"{domain}\">>, <<\"{user}\">>)"));
        string program =
            $"{{ok, _}} = application:ensure_all_started(ejabberd){accounts}, io:format(\"accounts ready~n\").";
        await server.RunAsync("erl",
            ["-noinput", "-mnesia", "dir", $"\"{server.Folder}/data\"", "-eval", program],
            ("ERL_INETRC", names), ("EJABBERD_CONFIG_PATH", config), ("HOME", server.Folder),
            ("EJABBERD_LOG_PATH", Path.Combine(server.Folder, "log")), ("ERL_LIBS", "/usr/lib/x86_64-linux-gnu"));
        return server;
    }

    protected override bool IsReady => Log.Contains("accounts ready", StringComparison.Ordinal);
}
