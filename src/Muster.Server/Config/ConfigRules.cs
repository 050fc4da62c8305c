using System.Net;

namespace Muster.Server.Config;

/// <summary>The checks that need more than one option: whatever would be dangerous, or fail only at start.</summary>
static class ConfigRules
{
    public static void Check(ServerConfig config, Reading reading, bool looksForFiles)
    {
        CheckGeneral(config, reading);
        CheckListeners(config, reading);
        if (looksForFiles) CheckFiles(config, reading);
    }

    static void CheckGeneral(ServerConfig config, Reading reading)
    {
        var hosts = config.General.Hosts;
        if (config.General.DefaultServerDomain is { } domain && !hosts.Contains(domain))
            reading.Error("general.default_server_domain",
                $"'{domain}' is not in general.hosts; add it there, or did you mean '{Nearest.Of(domain, hosts)}'?");
        foreach (string twice in hosts.GroupBy(h => h).Where(g => g.Count() > 1).Select(g => g.Key))
            reading.Error("general.hosts", $"'{twice}' stands here twice; remove one");
        if (config.Storage is { Backend: StorageBackend.Postgres, Connection: null })
            reading.Error("storage.backend", "\"postgres\" needs storage.connection, such as " +
                "\"Host=127.0.0.1;Username=muster;Database=muster\"");
        if (config.Storage.Backend != StorageBackend.Postgres && config.Storage.Connection is not null)
            reading.Error("storage.connection", "is for storage.backend = \"postgres\" only; set that, or remove this");
        if (config.Storage.Backend != StorageBackend.Sqlite && config.Storage.Path is not null)
            reading.Error("storage.path", "is for storage.backend = \"sqlite\" only; remove it");
    }

    static void CheckListeners(ServerConfig config, Reading reading)
    {
        var seen = new List<Listener>();
        foreach (var listener in config.Listen.All)
        {
            string path = listener.ConfigPath;
            var mode = listener.Tls.Mode;
            if (mode is TlsMode.None or TlsMode.StartTlsOptional && !ServerConfig.IsLoopback(listener.IpAddress))
            {
                string plain = listener is C2sListener or HttpListener
                    && config.Auth.Methods.Contains(SaslMechanism.Plain) ? "passwords (auth.methods has PLAIN) and "
                    : "";
                reading.Error(reading.IsGiven($"{path}.tls.mode") ? $"{path}.tls.mode" : $"{path}.ip_address",
                    $"{listener.IpAddress} would carry {plain}messages in plain text over the network; set tls.mode " +
                        $"to {(listener is C2sListener or S2sListener ? "\"starttls\"" : "\"tls\"")}, or listen on " +
                        $"a loopback address");
            }
            if (mode == TlsMode.None && listener.Tls.CertFile is not null)
                reading.Error($"{path}.tls.certfile", "is not used while tls.mode is \"none\"; set the mode to " +
                    "\"tls\", or remove this");
            if (listener.Tls.KeyFile is not null && listener.Tls.CertFile is null)
                reading.Error($"{path}.tls.keyfile", "needs tls.certfile");

            if (listener.Port == 0) continue;
            if (seen.Find(l => l.Port == listener.Port && Overlap(l.IpAddress, listener.IpAddress)) is { } other)
                reading.Error($"{path}.port", $"port {listener.Port} of {other.IpAddress} is taken by " +
                    $"'{other.ConfigPath}'; choose another port or address");
            seen.Add(listener);
        }
    }

    static bool Overlap(IPAddress a, IPAddress b) => a.Equals(b) || IsAny(a) || IsAny(b);

    static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    static void CheckFiles(ServerConfig config, Reading reading)
    {
        foreach (var listener in config.Listen.All)
        {
            MustExist(listener.Tls.CertFile, $"{listener.ConfigPath}.tls.certfile", "certificate");
            MustExist(listener.Tls.KeyFile, $"{listener.ConfigPath}.tls.keyfile", "private key");
        }

        void MustExist(string? file, string path, string what)
        {
            if (file is not null && !File.Exists(file)) reading.Error(
                path, $"there is no {what} {file}; put it there, or correct the name");
        }
    }
}
