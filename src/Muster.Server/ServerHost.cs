using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Muster.Core.Archive;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Server.Archives;
using Muster.Server.Config;
using Muster.Server.Features;
using Muster.Server.Http;
using Muster.Server.Net;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <summary>A whole server: built in one place, started, stopped.</summary>
sealed partial class ServerHost : IAsyncDisposable
{
    static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    readonly ServerConfig _config; // what it was started with
    volatile ServerConfig _live;   // what is in force: a reload replaces it
    readonly string _folder;
    readonly ServerOverrides _overrides;
    readonly ConnectionTimers _timers;
    readonly ResumableSessions _resumable;
    readonly JoinWatch _joins;
    readonly CancellationTokenSource _stopping = new();
    readonly BackgroundWork _background;
    readonly Slots _slots;
    readonly IqTable _iqTable;
    readonly EarlyTable _early;
    readonly ClientServices _clients;
    readonly byte[] _pepper;
    readonly ProvedPasswords _proved;
    readonly HttpRoutes _routes = new();
    readonly IDisposable _folderLock;
    readonly MetricsPage _metrics;
    volatile Dictionary<string, HttpPool> _pools;
    Listeners? _listeners;
    readonly ArchiveIds _archiveIds;
    bool _isStopped;

    /// <summary>Builds a server: every part is made here and handed to those that need it.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="folder">The data folder; it exists.</param>
    /// <param name="database">An open database.</param>
    /// <param name="archiveIds">How ids of its archives are written.</param>
    /// <param name="overrides">What a test replaces.</param>
    /// <param name="folderLock">Keeps other servers from the data folder.</param>
    ServerHost(
        ServerConfig config, string folder, Database database, ArchiveIds archiveIds, ServerOverrides overrides,
        IDisposable folderLock)
    {
        (_config, _live, _folder, _overrides, _folderLock) = (config, config, folder, overrides, folderLock);
        _archiveIds = archiveIds;
        var (clock, logs) = (overrides.Clock, overrides.Logs);

        // What all stand on.
        _pepper = DataFolder.Pepper(folder);
        _proved = new ProvedPasswords(_pepper, config.Auth.ProvedPasswords);
        var meters = new Meters();
        _metrics = new MetricsPage(meters.Meter, StorageMeter.Name);
        var limits = LimitsOf(config);
        var router = new Router();
        var sessions = new SessionTable();
        var accounts = new AccountStates(database, sessions, clock);
        _resumable = new ResumableSessions(clock, meters.Management);
        _joins = JoinWatchOf(config, router, sessions, database, meters);
        var archive = AccountArchiveOf(config, database, meters);
        var pushes = PushServiceOf(router, accounts, meters, out var webPush);
        var local = new LocalDomain(
            router, accounts, archive, limits, AccountPolicyOf(), _resumable, _joins, pushes, clock, meters, logs);
        var archives = ArchiveReadersOf(database, sessions, router, meters);
        _pools = config.OutgoingPools.Http.ToDictionary(
            pool => pool.Key, pool => PoolOf(pool.Key, pool.Value, meters), StringComparer.Ordinal);
        var rooms = RoomServicesOf(
            config, new(router, sessions, database, archives, clock, meters, logs, pushes.Rooms.Listen(), limits));
        var peers = new PeerRoutes(router, clock, meters.Peers, logs, () => _peerRules!);
        Services = new Services(
            router, sessions, database, accounts, AccountBookOf(config, database, pushes), InviteBookOf(database),
            TokenBookOf(database, meters),
            RegistrationOf(config), limits, local, archives, rooms, clock, meters, logs)
        {
            Peers = peers,
            Components = ComponentRoutesOf(config, router, meters),
            Pushes = pushes,
            WebPush = webPush,
            ArchiveRetention = ArchiveRetentionOf(config),
            ArchiveIds = archiveIds,
        };

        // The features, in their order.
        _slots = new Slots(Services);
        Feature[] features = [.. All.Create().Where(feature => IsOn(feature, config.Modules))];
        foreach (var feature in features) feature.Register(_slots);
        _iqTable = new IqTable(_slots, router, logs.CreateLogger<IqTable>());
        local.Connect(_iqTable, _slots);
        _early = new EarlyTable(_slots, logs.CreateLogger<EarlyTable>());

        // Who serves which domain.
        router.Connect(TargetsOf(config, local, rooms), peers);

        // Who connects.
        _timers = new ConnectionTimers(clock);
        _clients = new ClientServices(
            local, FindAccount, new(Services.Tokens.Find, Services.Tokens.Use, Services.Tokens.Issue), _early.Answer,
            _timers, meters.Clients, logs.CreateLogger("Muster.Net"), logs.CreateLogger("Muster.Stanzas"));
        _background = new BackgroundWork(_slots.BackgroundWork, clock, logs.CreateLogger<BackgroundWork>());
        var (tcp, web) = overrides.OpensListeners ? (config.Listen.C2s, config.Listen.Http) : ([], []);
        ClientListeners = [.. tcp.Select((listener, i) => ToListener(listener, $"c2s[{i}]"))];
        WebListeners = [.. web.Select((listener, i) => ToListener(listener, $"http[{i}]"))];
        _peers = new PeerServices(peers, _timers, meters.Peers, logs.CreateLogger("Muster.Peers"),
            logs.CreateLogger("Muster.Stanzas"));
        _peerRules = PeerRouteSettingsOf(config);
        PeerListeners = PeerListenersOf(config);
        ComponentDoors = ComponentDoorsOf(config);
        MapPages(config);
        Admin = MapAdmin(features);
    }

    /// <summary>The parts that others use.</summary>
    public Services Services { get; }

    /// <summary>What has been counted, as it is served.</summary>
    public MetricsPage Metrics => _metrics;

    /// <summary>The listeners for clients over TCP, in the order of the configuration.</summary>
    public IReadOnlyList<ClientListener> ClientListeners { get; }

    /// <summary>The listeners for other servers.</summary>
    public IReadOnlyList<PeerListener> PeerListeners { get; }

    /// <summary>Those over WebSocket, one for each HTTP listener.</summary>
    public IReadOnlyList<ClientListener> WebListeners { get; }

    /// <summary>What stands open, as the ready line tells it; "" before <see cref="StartAsync"/>.</summary>
    public string Addresses => _listeners?.Addresses ?? "";

    /// <summary>Opens the data folder and the database and builds a server that does not listen yet.</summary>
    /// <exception cref="StartException">Something is in the way.</exception>
    public static async Task<ServerHost> OpenAsync(
        ServerConfig config, string folder, ServerOverrides? overrides = null)
    {
        overrides ??= new ServerOverrides();
        var folderLock = DataFolder.Open(folder);
        Database? database = null;
        try
        {
            database = overrides.Database ?? await Database.Open(StorageOptionsOf(config, folder, overrides));
            var host = new ServerHost(
                config, folder, database, await ArchiveKey.Open(database), overrides, folderLock);
            if (host.Services.WebPush is { } webPush) await webPush.Open(database, overrides.Clock);
            await host.TakeUpAsync();
            return host;
        }
        catch (Exception error)
        {
            if (database is not null) await database.DisposeAsync();
            folderLock.Dispose();
            if (error is not StorageException) throw;
            throw new StartException(error.Message, error);
        }
    }

    /// <summary>Opens the listeners and starts what works in the background.</summary>
    /// <exception cref="StartException">A listener cannot be opened.</exception>
    public async Task StartAsync()
    {
        _listeners = await Listeners.OpenAsync(
            _config.Listen.C2s.Zip(ClientListeners), _config.Listen.S2s.Zip(PeerListeners),
            _config.Listen.Component.Zip(ComponentDoors), _config.Listen.Http.Zip(WebListeners),
            AdminSocket.Prepare(_folder), _routes, _overrides.Logs);
        StartWithoutListeners();
    }

    /// <summary>Runs a server until it is told to stop, by a signal (SIGTERM, SIGINT) or a token.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="folder">The data folder.</param>
    /// <param name="output">Where the ready line goes.</param>
    /// <param name="overrides">What to replace; logs are given here.</param>
    /// <param name="beforeReady">What to do when all doors are open, before saying so.</param>
    /// <param name="stop">Tells it to stop.</param>
    /// <exception cref="StartException">Something is in the way; one line for the operator.</exception>
    public static async Task RunAsync(
        ServerConfig config, string folder, TextWriter output, ServerOverrides? overrides = null,
        Func<ServerHost, Task>? beforeReady = null, CancellationToken stop = default)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Tell(PosixSignalContext signal)
        {
            // Not the end of the process: that comes when everybody has been told. The second time it is.
            signal.Cancel = told.TrySetResult();
        }
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Tell);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Tell);
        using var cancel = stop.Register(() => told.TrySetResult());
        await using var host = await OpenAsync(config, folder, overrides);
        await host.StartAsync();
        if (beforeReady is not null) await beforeReady(host);
        // From the start of the process: what a person who waits has waited.
        var took = TimeProvider.System.GetUtcNow() - Process.GetCurrentProcess().StartTime.ToUniversalTime();
        await output.WriteLineAsync($"started in {took.TotalMilliseconds:F0} ms");
        await output.WriteLineAsync($"ready: {host.Addresses}");
        await output.FlushAsync(CancellationToken.None);
        await told.Task;
    }

    /// <summary>Starts what works in the background, and no listener: tests bring the connections.</summary>
    public void StartWithoutListeners()
    {
        _background.Start();
        StartPeers();
        Services.Peers.StreamEnded += _joins.StreamEnded;
        Services.Components.StreamEnded += _joins.ComponentEnded;
        _joins.Start();
        foreach (var rooms in Services.Rooms.Values) rooms.Start();
        Loading = LoadOccupiedAsync();
    }

    /// <summary>Tells everybody that the server stops (RFC 6120 §4.9.3.21), waits for a bounded time until they have
    /// gone, and closes everything. What has been accepted is stored by then.</summary>
    /// <param name="limit">How long to wait for clients to close; null for a few seconds.</param>
    public async Task StopAsync(TimeSpan? limit = null)
    {
        if (_isStopped) return;
        _isStopped = true;
        await _stopping.CancelAsync();
        await Loading;
        // Occupants who cannot come back learn that it is the service that goes, not they (XEP-0045 §10.9, status 332).
        // The others stay, and nobody sees them go.
        var lasting = LastingSessions();
        foreach (var rooms in Services.Rooms.Values) await rooms.ShutDown(null, lasting);
        _joins.BeginStop();
        await _timers.StopAsync(limit ?? StopLimit);
        await SaveAsync();
        if (_listeners is not null) await _listeners.DisposeAsync();
        await _background.DisposeAsync();
        await Services.Pushes.DisposeAsync();
        Services.WebPush?.Dispose();
        foreach (var rooms in Services.Rooms.Values)
            if (rooms.PublicLogs is { } logs) await logs.DisposeAsync();
        _timers.Dispose();
        _joins.Dispose();
        await _joins.StoreAsync();
        _resumable.Dispose();
        Services.Peers.Dispose();
        _peerNetwork?.Dispose();
        _stopping.Dispose();
        await Services.Database.DisposeAsync();
        foreach (var pool in _pools.Values) pool.Dispose();
        _metrics.Dispose();
        Services.Meters.Dispose();
        _folderLock.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();

    /// <summary>Whether a feature is on, for all domains. What has no module of its own always is.</summary>
    static bool IsOn(Feature feature, ModulesConfig modules) => feature switch
    {
        Roster => modules.Roster.Enabled,
        Blocking => modules.Blocking.Enabled,
        Disco => modules.Disco.Enabled,
        VcardTemp => modules.Vcard.Enabled,
        PrivateXml => modules.Private.Enabled,
        LastActivity => modules.Last.Enabled,
        SoftwareVersion => modules.Version.Enabled,
        EntityTime => modules.Time.Enabled,
        OfflineMessages => modules.Offline.Enabled,
        Carbons => modules.CarbonCopy.Enabled,
        Mam => modules.Mam.Enabled,
        Ping => modules.Ping.Enabled,
        ClientStates => modules.Csi.Enabled,
        CloudNotify => modules.CloudNotify.Enabled,
        MucCloudNotify => modules.MucCloudNotify.Enabled,
        Features.WebPush => modules.WebPush.Enabled,
        _ => true,
    };

    void MapPages(ServerConfig config)
    {
        _routes.Map(HttpService.WebSocket, "/ws", http => WebSocketEndpoint.HandleAsync(http, WebListenerOf(http)));
        _routes.Map(HttpService.HostMeta, HostMeta.XmlPath, http => HostMeta.HandleXmlAsync(http, PublicUrl(http)));
        _routes.Map(HttpService.HostMeta, HostMeta.JsonPath, http => HostMeta.HandleJsonAsync(http, PublicUrl(http)));
        MetricsEndpoint.Map(_routes, _metrics, () => _live.Instrumentation);
        ChatPage.Map(_routes, () => new ChatSettings(
            config.DefaultDomain, config.ModulesOf(config.DefaultDomain).Muc.HostFor(config.DefaultDomain),
            _live.Registration.InBand, Services.WebPush?.PublicKey));
    }

    ClientListener ToListener(Listener listener, string name) =>
        new(_clients, ClientSettingsOf(listener, CertificateOf(listener.Tls)), name);

    ClientListener WebListenerOf(HttpContext http)
    {
        var listener = http.Features.Get<HttpDoor>()!.Listener;
        for (int i = 0; ; i++)
            if (ReferenceEquals(_config.Listen.Http[i], listener)) return WebListeners[i];
    }

    string? PublicUrl(HttpContext http) =>
        InForce(http.Features.Get<HttpDoor>()!.Listener, _live.Listen.Http).PublicUrl;

    async ValueTask<AccountFacts> FindAccount(Jid account, ScramHash? hash)
    {
        if (await Services.Database.Accounts.Find(account) is not { } found) return new AccountFacts(false);
        string? stored = hash switch
        {
            ScramHash.Sha256 => found.ScramSha256,
            ScramHash.Sha1 => found.ScramSha1,
            _ => found.ScramSha256 ?? found.ScramSha1,
        };
        _ = ScramSecret.TryParse(stored, out var secret);
        return new AccountFacts(true, found.Disabled, secret);
    }
}
