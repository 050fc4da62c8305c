using System.Text;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Net;
using Muster.Server.Sessions;
using Muster.Server.Telemetry;
using Muster.Testing;

namespace Muster.Tests.Net;

/// <summary>The connections of clients without the server behind them: a listener over pipes, a fake clock, one host
/// that records, and the accounts romeo and juliet whose password is their name.</summary>
sealed class NetBench : IAsyncDisposable
{
    static readonly ScramSecret Romeo = Secret("romeo"), Juliet = Secret("juliet");

    readonly Meters _meters = new();
    readonly List<Task> _connections = [];
    readonly List<TestClient> _clients = [];
    readonly ClientListener _listener;

    public NetBench(Func<ClientSettings, ClientSettings>? change = null)
    {
        Timers = new ConnectionTimers(Clock);
        Settings = new ClientSettings
        {
            Policy = new ClientPolicy
            {
                Hosts = new HashSet<Jid> { Jid.Parse("localhost"), Jid.Parse("example.org") },
                DefaultHost = Jid.Parse("localhost"),
                Tls = TlsPolicy.NotOffered,
                PlaintextAllowed = true,
                Pepper = new byte[32],
                Iterations = ScramSecret.IterationsMin,
                EarlyRequests = new HashSet<string> { "jabber:iq:register" },
            },
        };
        if (change is not null) Settings = change(Settings);
        var services = new ClientServices(Host, FindAccount, NoTokens, AnswerEarly, Timers, _meters.Clients,
            Logs.CreateLogger("net"), Logs.CreateLogger("stanzas"));
        _listener = new ClientListener(services, Settings, "test");
    }

    public FakeClock Clock { get; } = new();
    public TestLogs Logs { get; } = new();
    public RecordingHost Host { get; } = new();
    public ConnectionTimers Timers { get; }
    public ClientSettings Settings { get; }
    public Meters Meters => _meters;

    /// <summary>Makes a connection that says nothing yet.</summary>
    public TestClient Connect() => Connect(out _, out _);

    /// <summary>Makes a connection that says nothing yet.</summary>
    /// <param name="pipes">Its pipes.</param>
    /// <param name="life">Completes when the server has let it go.</param>
    public TestClient Connect(out PipePair pipes, out Task life)
    {
        life = Accept(out pipes);
        var client = new TestClient(pipes.Client);
        _clients.Add(client);
        return client;
    }

    /// <summary>Has the server accept a connection, for tests that play the client by hand.</summary>
    public Task Accept(out PipePair pipes)
    {
        var pair = pipes = new PipePair();
        var life = _listener.AcceptAsync(pair.Server, "192.0.2.1", pair.Reset);
        _connections.Add(life);
        return life;
    }

    public static string Auth(string user, string password) =>
        $"<auth xmlns='{Namespaces.Sasl}' mechanism='PLAIN'>" +
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}")) + "</auth>";

    /// <summary>Makes a connection and binds it.</summary>
    public async Task<TestClient> LoginAsync(string user = "romeo", string? resource = "orchard")
    {
        var client = Connect();
        await client.LoginAsync(user, user, resource);
        return client;
    }

    /// <summary>Ends everything; a line of level Error that the test did not ask for fails it.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        await Timers.StopAsync(TimeSpan.FromMilliseconds(200));
        await Task.WhenAll(_connections).WaitAsync(TestClient.Patience);
        Timers.Dispose();
        _meters.Dispose();
        if (!ErrorsExpected) Assert.Empty(Logs.Errors);
    }

    public bool ErrorsExpected { get; set; }

    ValueTask<AccountFacts> FindAccount(Jid account, ScramHash? hash) => new(account.ToString() switch
    {
        "romeo@localhost" => new AccountFacts(true, Secret: Romeo),
        "juliet@localhost" => new AccountFacts(true, Secret: Juliet),
        "tybalt@localhost" => new AccountFacts(true, Disabled: true, Romeo),
        "away@localhost" => throw new Muster.Server.Storage.StorageException(default, "the database is away"),
        _ => new AccountFacts(false),
    });

    static readonly TokenCalls NoTokens = new(
        static (_, _) => new(new NegotiationInput.TokensFound(new AccountFacts(false), [], default)),
        static _ => new(false), static _ => new((LoginToken?)null));

    static ValueTask<Iq> AnswerEarly(EarlyClient client, Iq request) => new(request.Result());

    static ScramSecret Secret(string password) => ScramSecret.Derive(
        ScramHash.Sha256, password, new byte[ScramSecret.SaltBytes], ScramSecret.IterationsMin)!;
}
