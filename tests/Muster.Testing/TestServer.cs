using System.Security.Cryptography.X509Certificates;
using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Server;
using Muster.Server.Config;
using Muster.Server.Net;
using Muster.Server.Peers;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;

namespace Muster.Testing;

/// <summary>
/// A whole server inside the test: connections are pairs of pipes, time stands still until the test moves it,
/// everything is kept in memory. A log line of level Error that the test did not announce fails it at the end.
/// </summary>
public sealed class TestServer : IAsyncDisposable
{
    const string DefaultConfig = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        """;

    readonly List<Task> _connections = [];
    readonly List<TestClient> _clients = [];
    readonly string _folder;
    readonly ServerHost _host;

    TestServer(ServerHost host, string folder, FakeClock clock, TestLogs logs)
    {
        (_host, _folder, Clock, Logs) = (host, folder, clock, logs);
    }

    /// <summary>The server's clock.</summary>
    public FakeClock Clock { get; }

    /// <summary>What the server logs.</summary>
    public TestLogs Logs { get; }

    /// <summary>True when the test provokes a log line of level Error.</summary>
    public bool ErrorsExpected { get; set; }

    /// <summary>The data folder, where the socket of the command line is after
    /// <see cref="ServerHost.StartForAdminAsync"/>.</summary>
    internal string Folder => _folder;

    /// <summary>The server.</summary>
    internal ServerHost Host => _host;

    /// <summary>The server's parts.</summary>
    internal Services Services => _host.Services;

    /// <summary>Starts a server.</summary>
    /// <param name="config">TOML; null for the domain localhost and one listener without TLS.</param>
    public static Task<TestServer> StartAsync(string? config = null) => StartAsync(config, null);

    /// <summary>Starts a server on a database, for example that of a server that was stopped.</summary>
    internal static async Task<TestServer> StartAsync(
        string? config, Database? database, PeerConnect? connect = null, FakeClock? clock = null,
        X509Certificate2Collection? webPushRoots = null)
    {
        var (parsed, problems) = ConfigCheck.Parse(config ?? DefaultConfig, "test");
        if (parsed is null) throw new ArgumentException(string.Join('\n', problems), nameof(config));
        string folder = Directory.CreateTempSubdirectory("muster-test-").FullName;
        clock ??= new FakeClock();
        var logs = new TestLogs();
        var host = await ServerHost.OpenAsync(parsed, folder, new ServerOverrides
        {
            Clock = clock,
            Logs = logs,
            Database = database ?? new MemoryDatabase(),
            WebPushRoots = webPushRoots,
            ConnectPeer = connect ?? (static (_, _) => throw new PeerUnreachableException("nobody is there", true)),
        });
        host.StartWithoutListeners();
        return new TestServer(host, folder, clock, logs);
    }

    /// <summary>Makes an account whose password is its local part. Nothing when it exists.</summary>
    /// <param name="user">Local part, or a bare JID for another domain than localhost.</param>
    public async Task AddUserAsync(string user)
    {
        var jid = JidOf(user);
        byte[] salt = new byte[ScramSecret.SaltBytes];
        // The fewest iterations allowed: tests log in thousands of times.
        string Secret(ScramHash hash) =>
            ScramSecret.Derive(hash, jid.Local.ToString(), salt, ScramSecret.IterationsMin)!.ToStorage();
        await Services.Database.Accounts.TryAdd(new Account
        {
            Jid = jid,
            ScramSha1 = Secret(ScramHash.Sha1),
            ScramSha256 = Secret(ScramHash.Sha256),
            CreatedAt = Clock.GetUtcNow(),
        });
    }

    /// <summary>Connects a client that says nothing yet.</summary>
    /// <param name="host">The domain that it will talk to.</param>
    /// <param name="name">What failures call it.</param>
    /// <param name="names">What patterns remember by name, where several clients share it.</param>
    public TestClient Connect(
        string host = "localhost", string name = "client", Dictionary<string, string>? names = null)
    {
        var client = new TestClient(Accept(out _).Client, host) { Name = name, Names = names ?? [] };
        _clients.Add(client);
        return client;
    }

    /// <summary>Has the server accept a connection; the other end is for a test that plays the client by
    /// hand.</summary>
    /// <param name="life">Completes when the server has let the connection go.</param>
    public PipePair Accept(out Task life)
    {
        var pipes = new PipePair();
        life = _host.ClientListeners[0].AcceptAsync(pipes.Server, "192.0.2.1", pipes.Reset);
        _connections.Add(life);
        return pipes;
    }

    /// <summary>Has the server accept a connection of another server.</summary>
    public PipePair AcceptPeer()
    {
        var pipes = new PipePair();
        _connections.Add(_host.PeerListeners[0].AcceptAsync(pipes.Server, "192.0.2.2", pipes.Reset));
        return pipes;
    }

    /// <summary>Has the server accept a connection of a component.</summary>
    public PipePair AcceptComponent()
    {
        var pipes = new PipePair();
        _connections.Add(_host.ComponentDoors[0].AcceptAsync(pipes.Server, "192.0.2.4", pipes.Reset));
        return pipes;
    }

    /// <summary>Connects a client that is logged in and bound, of an account that is made when it is missing.</summary>
    /// <param name="user">Local part, or a bare JID for another domain than localhost.</param>
    /// <param name="resource">The resource; null lets the server choose.</param>
    public async Task<TestClient> LoginAsync(string user, string? resource = "test")
    {
        await AddUserAsync(user);
        var jid = JidOf(user);
        var client = Connect(jid.Domain.ToString(), user);
        await client.LoginAsync(jid.Local.ToString(), jid.Local.ToString(), resource);
        return client;
    }

    /// <summary>Moves time forward and lets what that started come to rest.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        Clock.Advance(by);
        await SettleAsync();
    }

    /// <summary>Waits until every room has dealt with all that it was sent, so that what comes of it has been sent to
    /// the occupants: then a client's ping comes after it.</summary>
    public async Task SettleAsync()
    {
        await _host.Loading.WaitAsync(TestClient.Patience);
        foreach (var service in _host.Services.Rooms.Values)
            await service.Settle().AsTask().WaitAsync(TestClient.Patience);
        await _host.Services.Pushes.SettleAsync().WaitAsync(TestClient.Patience);
    }

    /// <summary>Stops the server, and fails when it logged an error that the test did not announce.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        // In real time, as what the server waits for may need a clock that nobody moves any more.
        await _host.StopAsync(TimeSpan.FromMilliseconds(500)).WaitAsync(3 * TestClient.Patience);
        await Task.WhenAll(_connections).WaitAsync(TestClient.Patience);
        Directory.Delete(_folder, recursive: true);
        if (!ErrorsExpected && Logs.Errors.FirstOrDefault() is { } error)
            throw new InvalidOperationException($"the server logged an error: {error}");
    }

    static Jid JidOf(string user) =>
        Jid.Parse(user.Contains('@', StringComparison.Ordinal) ? user : $"{user}@localhost");
}
