using System.Net;
using Muster.Protocol.Sasl;

namespace Muster.Server.Config;

/// <summary>The checks that need more than one option: whatever would be dangerous, or fail only at start.</summary>
static class ConfigRules
{
    public static void Check(ServerConfig config, Reading reading, bool looksForFiles)
    {
        CheckGeneral(config, reading);
        CheckListeners(config, reading);
        CheckComponents(config, reading);
        CheckReferences(config, reading);
        CheckHosts(config, reading);
        CheckRooms(config.Modules.Muc, "modules.mod_muc", config, reading);
        foreach (var host in config.HostConfigs)
            CheckRooms(host.Modules.Muc, $"{host.ConfigPath}.modules.mod_muc", config, reading);
        if (looksForFiles) CheckFiles(config, reading);
        NotYet.Warn(reading);
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

    /// <summary>What the server serves itself is no component's.</summary>
    static void CheckComponents(ServerConfig config, Reading reading)
    {
        foreach (var listener in config.Listen.Component)
        {
            foreach (string domain in listener.Domains)
            {
                bool isServed = config.General.Hosts.Contains(domain) || config.General.Hosts.Any(host =>
                    config.ModulesOf(host).Muc is { Enabled: true } muc && muc.HostFor(host) == domain);
                if (isServed)
                    reading.Error($"{listener.ConfigPath}.domains", $"'{domain}' is served by this server itself; " +
                        "remove it here");
            }
        }
    }

    static bool Overlap(IPAddress a, IPAddress b) => a.Equals(b) || IsAny(a) || IsAny(b);

    static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>Every name must lead to something that is defined.</summary>
    static void CheckReferences(ServerConfig config, Reading reading)
    {
        foreach (var reference in reading.References)
        {
            var (what, table, known) = reference.Kind switch
            {
                ReferenceKind.AccessRule => ("access rule", "access",
                    BuiltInAccess.RuleNames.Concat(config.Rules.Keys)),
                ReferenceKind.Shaper => ("shaper", "shaper", config.Shapers.Keys.Append("none")),
                ReferenceKind.HttpPool => ("pool", "outgoing_pools.http",
                config.OutgoingPools.Http.Keys.Append("none")),
                _ => ("access class", "acl", BuiltInAccess.ClassNames.Concat(config.Classes.Keys)),
            };
            if (known.Contains(reference.Name)) continue;
            string text = $"there is no {what} '{TomlWriter.Show(reference.Name)}'; define it under [{table}], or " +
                $"did you " +
                $"mean '{Nearest.Of(reference.Name, known)}'?";
            // MongooseIM, "access.*.acl": a class that does not exist matches nobody, which is no error. The example of
            // its page on mod_muc names a pool that stands elsewhere: until there is one, every password is refused.
            bool isFine = reference.Kind == ReferenceKind.AccessClass
                || reference.Kind == ReferenceKind.HttpPool && config.OutgoingPools.Http.Count == 0;
            if (isFine) reading.Warn(reference.Offset, reference.Path, text);
            else reading.Error(reference.Offset, reference.Path, text);
        }
    }

    static void CheckHosts(ServerConfig config, Reading reading)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var host in config.HostConfigs)
        {
            if (host.Host.Length == 0) continue;
            if (!config.General.Hosts.Contains(host.Host))
                reading.Error($"{host.ConfigPath}.host",
                    $"'{host.Host}' is not in general.hosts; add it there, or did you " +
                    $"mean '{Nearest.Of(host.Host, config.General.Hosts)}'?");
            else if (!seen.Add(host.Host))
                reading.Error($"{host.ConfigPath}.host", $"'{host.Host}' has a host_config already; put both into one");
        }
    }

    static void CheckRooms(MucConfig muc, string path, ServerConfig config, Reading reading)
    {
        var databases = config.InternalDatabases;
        if (muc.OnlineBackend == "cets" ? !databases.HasCets : databases.IsGiven && !databases.HasMnesia)
            reading.Error(reading.IsGiven($"{path}.online_backend") ? $"{path}.online_backend" : "internal_databases",
                $"mod_muc's online_backend is \"{muc.OnlineBackend}\"; add " +
                $"[internal_databases.{muc.OnlineBackend}], or " +
                "choose the other backend");
        if (!muc.Enabled) return;

        var hosts = config.General.Hosts;
        if (hosts.FirstOrDefault(host => hosts.Contains(muc.HostFor(host))) is { } served)
            reading.Error($"{path}.host", $"'{muc.HostFor(served)}' is one of general.hosts; rooms need a domain of " +
                $"their own");
        foreach (var affiliation in muc.DefaultRoom.Affiliations.Where(a => a.IsMalformed))
            reading.Error(affiliation.ConfigPath, "user, server and resource make no valid address");
        if (muc.DefaultRoom.Options is { PasswordProtected: true, Password: "" } && muc.HttpAuthPool is null)
            reading.Error($"{path}.default_room.password_protected",
                "needs a password, or an http_auth_pool that knows the passwords");
        if (muc.DefaultRoom.Options.MaxUsers > muc.MaxUsers && reading.IsGiven($"{path}.default_room.max_users"))
            reading.Warn($"{path}.default_room.max_users",
                $"is more than mod_muc's max_users, {muc.MaxUsers}, which counts");
        if (muc.HibernatedRoomTimeout is not null && muc.HibernatedRoomCheckInterval is null)
            reading.Warn($"{path}.hibernated_room_timeout", "has no effect without hibernated_room_check_interval");
    }

    static void CheckFiles(ServerConfig config, Reading reading)
    {
        foreach (var listener in config.Listen.All)
        {
            MustExist(listener.Tls.CertFile, $"{listener.ConfigPath}.tls.certfile", "certificate");
            MustExist(listener.Tls.KeyFile, $"{listener.ConfigPath}.tls.keyfile", "private key");
        }

        MustExist(config.S2s.CaCertFile, "s2s.cacertfile", "certificate");

        void MustExist(string? file, string path, string what)
        {
            if (file is not null && !File.Exists(file)) reading.Error(
                path, $"there is no {what} {file}; put it there, or correct the name");
        }
    }
}
