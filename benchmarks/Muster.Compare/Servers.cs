using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Muster.Compare;

/// <summary>Muster, as an operator starts it.</summary>
sealed class MusterServer(string program, bool isArchiving) : ServerUnderTest
{
    public override int TlsPort { get; } = FreePort();

    public override async Task StartAsync()
    {
        string config = Path.Combine(Folder, "muster.toml"), onOff = isArchiving ? "true" : "false";
        await File.WriteAllTextAsync(config, $"""
            [[listen.c2s]]
              port = {Port}
              ip_address = "127.0.0.1"
              tls.mode = "none"
            [[listen.c2s]]
              port = {TlsPort}
              ip_address = "127.0.0.1"
              tls.mode = "starttls"
            [registration]
              in_band = true
              rate_limit = 0
            [modules.mod_mam]
              enabled = {onOff}
            [modules.mod_muc]
              max_users = 2000
              max_user_conferences = 100000
              default_room.max_users = 2000
              default_room.archiving = {onOff}
            """);
        await RunAsync(program, ["serve", "--config", config, "--data", Path.Combine(Folder, "data")]);
    }
}

/// <summary>Prosody, as Debian ships it: with the modules of its configuration, or with few of them and the
/// generational collector, which is the best found.</summary>
sealed class ProsodyServer(bool isBest, bool isArchiving) : ServerUnderTest
{
    const string Few = "\"roster\", \"saslauth\", \"tls\", \"disco\", \"register\", \"smacks\"";
    const string Shipped = Few + ", \"carbons\", \"pep\", \"private\", \"blocklist\", \"vcard4\", \"vcard_legacy\", " +
        "\"bookmarks\", \"version\", \"uptime\", \"time\", \"ping\", \"csi_simple\"";

    public override async Task StartAsync()
    {
        var (cert, key) = await Certificates.WriteAsync(Folder);
        string config = Path.Combine(Folder, "prosody.cfg.lua");
        Directory.CreateDirectory(Path.Combine(Folder, "data"));
        await File.WriteAllTextAsync(config, $$"""
            run_as_root = true
            pidfile = "{{Folder}}/pid"
            data_path = "{{Folder}}/data"
            log = { warn = "{{Folder}}/log" }
            interfaces = { "127.0.0.1" }
            c2s_ports = { {{Port}} }
            c2s_direct_tls_ports = {}
            s2s_ports = {}
            s2s_direct_tls_ports = {}
            modules_enabled = { {{(isBest ? Few : Shipped)}}{{(isArchiving ? ", \"mam\"" : "")}} }
            modules_disabled = { "s2s" }
            {{(isBest ? "gc = { mode = \"generational\" }" : "")}}
            {{(isArchiving ? "storage = \"sql\"; sql = { driver = \"SQLite3\"; database = \"prosody.sqlite\" }"
                : "storage = \"internal\"")}}
            authentication = "internal_hashed"
            allow_registration = true
            c2s_require_encryption = false
            allow_unencrypted_plain_auth = true
            ssl = { certificate = "{{cert}}"; key = "{{key}}" }
            VirtualHost "localhost"
            Component "conference.localhost" "muc"
                muc_room_locking = false
                {{(isArchiving ? "modules_enabled = { \"muc_mam\" }; muc_log_by_default = true" : "")}}
            """);
        await RunAsync("prosody", ["--config", config, "-F"]);
    }
}

/// <summary>ejabberd, as Debian ships it; without the distribution of Erlang, so that no daemon stays behind.</summary>
sealed class EjabberdServer(bool isArchiving) : ServerUnderTest
{
    public override async Task StartAsync()
    {
        var (cert, key) = await Certificates.WriteAsync(Folder);
        string both = Path.Combine(Folder, "both.pem"), config = Path.Combine(Folder, "ejabberd.yml");
        await File.WriteAllTextAsync(both, await File.ReadAllTextAsync(cert) + "\n" + await File.ReadAllTextAsync(key));
        await File.WriteAllTextAsync(config, $$"""
            hosts: ["localhost"]
            loglevel: error
            log_rotate_count: 0
            certfiles: ["{{both}}"]
            auth_method: internal
            auth_password_format: scram
            registration_timeout: infinity
            {{(isArchiving ? $"default_db: sql\nsql_type: sqlite\nsql_database: \"{Folder}/ejabberd.sqlite\"" : "")}}
            shaper_rules:
              max_user_sessions: 1000
            listen:
              - port: {{Port}}
                ip: "127.0.0.1"
                module: ejabberd_c2s
                max_stanza_size: 262144
                shaper: none
                starttls: true
            modules:
              mod_roster: {db_type: mnesia}
              mod_disco: {}
              mod_ping: {}
              mod_carboncopy: {}
              mod_stream_mgmt: {max_ack_queue: infinity}
              mod_register: {ip_access: all}
              {{(isArchiving ? "mod_mam: {default: always, db_type: sql, assume_mam_usage: true}" : "mod_time: {}")}}
              mod_muc:
                db_type: mnesia
                access: all
                access_create: all
                access_persistent: all
                max_users: 2000
                max_user_conferences: 100000
                min_presence_interval: 0
                default_room_options:
                  max_users: 2000
                  mam: {{(isArchiving ? "true" : "false")}}
            """);
        string program = "{ok, _} = application:ensure_all_started(ejabberd).";
        // The first core alone, and one scheduler for it, as the peer would be set up on such a machine.
        await RunAsync("erl",
            ["+S", "1:1", "-noinput", "-mnesia", "dir", $"\"{Folder}/data\"", "-eval", program],
            ("EJABBERD_CONFIG_PATH", config), ("HOME", Folder), ("EJABBERD_LOG_PATH", Path.Combine(Folder, "log")),
            ("ERL_LIBS", "/usr/lib/x86_64-linux-gnu"));
    }
}

/// <summary>Certificates that prove nothing.</summary>
static class Certificates
{
    /// <summary>Writes a certificate for localhost and its key; returns their files.</summary>
    public static async Task<(string Certificate, string Key)> WriteAsync(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        string certificate = Path.Combine(folder, "cert.pem"), file = Path.Combine(folder, "key.pem");
        await File.WriteAllTextAsync(certificate, made.ExportCertificatePem());
        await File.WriteAllTextAsync(file, key.ExportPkcs8PrivateKeyPem());
        return (certificate, file);
    }
}
