using Muster.Server.Config;
using Muster.Server.Http;
using Muster.Server.Net;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <summary>Another configuration while the server runs.</summary>
sealed partial class ServerHost
{
    readonly SemaphoreSlim _reloads = new(1, 1);

    /// <summary>Reads the configuration anew, for a reload; null when there is nothing to read.</summary>
    public Func<(ServerConfig? Config, IReadOnlyList<ConfigProblem> Problems)>? ReadConfig { get; set; }

    /// <summary>Told of a configuration that a reload has put in force.</summary>
    public Action<ServerConfig>? ConfigApplied { get; set; }

    /// <summary>Reads the configuration again and applies what needs no restart. One that is wrong changes
    /// nothing.</summary>
    /// <exception cref="AdminException">The configuration is wrong.</exception>
    public async Task<ReloadView> ReloadAsync()
    {
        await _reloads.WaitAsync();
        try
        {
            if (ReadConfig is null) throw AdminException.Conflict("no server runs, so there is nothing to reload");
            var (config, problems) = ReadConfig();
            if (config is null) throw AdminException.Invalid(string.Join('\n', problems.Where(p => p.IsError)));
            var live = ConfigDiff.Between(_live, config).Live;
            // What waits is all that differs from the start, also what an earlier reload told.
            var waiting = ConfigDiff.Between(_config, config).NeedRestart;
            await Apply(config, live);
            var log = _overrides.Logs.CreateLogger("Muster.Config");
            foreach (var change in live) log.ConfigApplied(change.ToString());
            foreach (var change in waiting) log.ConfigWaits(change.ToString());
            return new ReloadView([.. live.Select(change => change.ToString())],
                [.. waiting.Select(change => change.ToString())], [.. problems.Select(problem => problem.ToString())]);
        }
        finally
        {
            _reloads.Release();
        }
    }

    /// <summary>The same for a signal, where nobody waits for an answer: what is wrong is logged.</summary>
    public async Task ReloadOrLogAsync()
    {
        try
        {
            await ReloadAsync();
        }
        catch (Exception e) when (e is AdminException or StartException)
        {
            _overrides.Logs.CreateLogger("Muster.Config").ConfigRefused(e.Message);
        }
    }

    async Task Apply(ServerConfig config, IReadOnlyList<ConfigChange> changes)
    {
        // Whatever can fail comes first: then all of it is in force, or nothing.
        var tcp = SourcesFor(ClientListeners, _config.Listen.C2s, _live.Listen.C2s, config.Listen.C2s);
        var web = SourcesFor(WebListeners, _config.Listen.Http, _live.Listen.Http, config.Listen.Http);
        var peers = PeerSettingsOf(config);
        var components = ComponentSettingsOf(config);
        _live = config;
        _pools = PoolsOf(config, changes);
        Services.Registration = RegistrationOf(config);
        Services.ArchiveRetention = ArchiveRetentionOf(config);
        Services.Limits = Services.Local.Limits = LimitsOf(config);
        foreach (var (listener, rules, certificate) in tcp.Concat(web))
            listener.Settings = ClientSettingsOf(rules, certificate);
        ApplyPeers(config, peers);
        _joins.Apply(host => JoinRulesOf(config.ModulesOf(host)));
        foreach (var (door, settings) in ComponentDoors.Zip(components)) door.Settings = settings;
        foreach (var rooms in Services.Rooms.Values)
        {
            rooms.Forwarder.Apply(Services.Limits);
            await rooms.Apply(RoomSettingsOf(config, rooms.Settings.Host.ToString()));
        }
        ConfigApplied?.Invoke(config);
    }

    /// <summary>The services to ask. One that is changed is another one; what the old one was asked comes to its
    /// end.</summary>
    Dictionary<string, HttpPool> PoolsOf(ServerConfig config, IReadOnlyList<ConfigChange> changes) =>
        config.OutgoingPools.Http.ToDictionary(pool => pool.Key, pool =>
            _pools.TryGetValue(pool.Key, out var old) && !changes.Any(change =>
                change.Path.StartsWith($"outgoing_pools.http.{pool.Key}.", StringComparison.Ordinal))
                ? old
                : PoolOf(pool.Key, pool.Value, Services.Meters), StringComparer.Ordinal);

    /// <summary>What open listeners go by now. A certificate is loaded when other files are named; files that changed
    /// are found without a reload.</summary>
    List<(ClientListener Listener, Listener Rules, CertificateSource? Certificate)> SourcesFor<T>(
        IEnumerable<ClientListener> listeners, IEnumerable<T> opened, IReadOnlyList<T> before, IReadOnlyList<T> now)
        where T : Listener
    {
        var all = new List<(ClientListener, Listener, CertificateSource?)>();
        foreach (var (listener, rules) in listeners.Zip(opened))
        {
            var (was, becomes) = (InForce(rules, before), InForce(rules, now));
            all.Add((listener, becomes, HasSameCertificate(was, becomes)
                ? listener.Settings.Certificate
                : CertificateOf(becomes.Tls)));
        }
        return all;
    }

    static bool HasSameCertificate(Listener was, Listener becomes) =>
        (was.Tls.CertFile, was.Tls.KeyFile, was.Tls.Password)
            == (becomes.Tls.CertFile, becomes.Tls.KeyFile, becomes.Tls.Password);

    /// <summary>What a configuration says of a listener that is open: the table with its address. A listener that has
    /// gone from the file, or moved, goes by what it was opened with until a restart.</summary>
    static T InForce<T>(T opened, IReadOnlyList<T> now) where T : Listener =>
        now.FirstOrDefault(listener => listener.IpAddress.Equals(opened.IpAddress) && listener.Port == opened.Port
            && listener.Tls.Mode == opened.Tls.Mode) ?? opened;
}
