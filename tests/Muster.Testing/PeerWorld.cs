using System.Collections.Concurrent;
using System.Threading.Channels;
using Muster.Protocol.Addresses;
using Muster.Server.Config;
using Muster.Server.Net;
using Muster.Server.Peers;
using Muster.Server.Storage;

namespace Muster.Testing;

/// <summary>
/// The other servers of the world, by domain, in memory: whole Musters, scripted ones, and such as never answer. One
/// clock for all.
/// </summary>
public sealed class PeerWorld
{
    readonly ConcurrentDictionary<string, Func<Task<PipePair>>> _places = new(StringComparer.Ordinal);
    readonly ConcurrentQueue<string> _dialed = new();
    readonly ConcurrentQueue<PipePair> _pipes = new();
    readonly HashSet<string> _direct = [];

    /// <summary>The clock of all servers.</summary>
    public FakeClock Clock { get; } = new();

    /// <summary>The domains that were connected to, in order.</summary>
    public IReadOnlyList<string> Dialed => [.. _dialed];

    /// <summary>Starts a server that the others reach, with its room service.</summary>
    /// <param name="domain">Its domain.</param>
    /// <param name="config">TOML beside the listeners.</param>
    /// <param name="s2s">TOML of the listener for servers.</param>
    /// <param name="database">Its database, that of a server that has stopped; null for a new one.</param>
    /// <param name="more">Another domain of accounts that it serves.</param>
    internal async Task<TestServer> ServeAsync(string domain, string config, string s2s, Database? database,
        string? more = null)
    {
        if (s2s.Contains("'tls'", StringComparison.Ordinal)) _direct.UnionWith([domain, $"conference.{domain}"]);
        var server = await TestServer.StartAsync(ConfigOf(domain, config, s2s, more), database, ConnectAsync, Clock);
        Reach(server, domain, $"conference.{domain}");
        if (more is not null) Reach(server, more, $"conference.{more}");
        return server;
    }

    /// <summary>Starts a server that the others reach, with its room service.</summary>
    /// <param name="domain">Its domain.</param>
    /// <param name="config">TOML beside the listeners.</param>
    /// <param name="s2s">TOML of the listener for servers.</param>
    public Task<TestServer> ServeAsync(string domain, string config = "", string s2s = "tls.mode = 'none'") =>
        ServeAsync(domain, config, s2s, null);

    /// <summary>The configuration of a server of the world.</summary>
    public static string ConfigOf(
        string domain, string config, string s2s = "tls.mode = 'none'", string? more = null) => $"""
        [general]
          hosts = ["{domain}"{(more is null ? "" : $", \"{more}\"")}]
        [[listen.c2s]]
          port = 0
          tls.mode = "none"
        [[listen.s2s]]
          port = 0
          {s2s}
        {config}
        """;

    /// <summary>The script by which mantua.test takes a stream of verona.test and its dialback, without offering
    /// anything.</summary>
    public static string Welcome { get; } = WelcomeWith("");

    /// <summary>The script by which mantua.test takes a stream of verona.test and its dialback.</summary>
    /// <param name="features">What it offers, as XML.</param>
    public static string WelcomeWith(string features) => $"""
        < <stream:stream
        > <stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' id='i' version='1.0'
        > \nxmlns:stream='http://etherx.jabber.org/streams'><stream:features>{features}</stream:features>
        < <db:result from='verona.test' to='mantua.test'>
        > <db:result from='mantua.test' to='verona.test' type='valid'/>
        """;

    /// <summary>Gives a server of the world another configuration while it runs.</summary>
    public static async Task ReloadAsync(TestServer server, string domain, string config)
    {
        server.Host.ReadConfig = () => ConfigCheck.Parse(ConfigOf(domain, config), "test");
        await server.Host.ReloadAsync();
    }

    /// <summary>Makes domains lead to a server.</summary>
    public void Reach(TestServer server, params string[] domains)
    {
        foreach (string domain in domains) _places[domain] = () => Task.FromResult(server.AcceptPeer());
    }

    /// <summary>Makes a domain unreachable: there is no such one.</summary>
    public void Forget(string domain) => _places.TryRemove(domain, out _);

    /// <summary>Makes a domain one that never answers a connection.</summary>
    public void Swallow(string domain) => _places[domain] = () => new TaskCompletionSource<PipePair>().Task;

    /// <summary>Makes a domain a test's own: its connections wait in the result for somebody to play the
    /// server.</summary>
    public PeerCalls Script(string domain)
    {
        var channel = Channel.CreateUnbounded<ScriptedPeer>();
        _places[domain] = () =>
        {
            var pipes = new PipePair();
            channel.Writer.TryWrite(new ScriptedPeer(pipes.Server, pipes.Reset));
            return Task.FromResult(pipes);
        };
        return new PeerCalls(channel.Reader);
    }

    /// <summary>Makes a domain one whose server says of all dialback keys the same.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="verdict">valid, invalid or error.</param>
    public void Vouch(string domain, string verdict = "valid")
    {
        _places[domain] = () =>
        {
            var pipes = new PipePair();
            _ = VouchingPeer.ServeAsync(new ScriptedPeer(pipes.Server, pipes.Reset), verdict);
            return Task.FromResult(pipes);
        };
    }

    /// <summary>Connects to a server in the name of a domain that the world vouches for, and proves it.</summary>
    public async Task<ScriptedPeer> ProveAsync(TestServer server, string domain, string to)
    {
        Vouch(domain);
        var peer = new ScriptedPeer(server.AcceptPeer());
        await peer.RunAsync($"> {Header(domain, to)}");
        await peer.RunAsync($"> <db:result from='{domain}' to='{to}'>key</db:result>");
        await peer.RunAsync($"< <db:result from='{to}' to='{domain}' type='valid'/>");
        return peer;
    }

    /// <summary>The start of a stream between servers.</summary>
    public static string Header(string from, string to) =>
        $"<stream:stream from='{from}' to='{to}' version='1.0' xmlns='jabber:server' " +
        "xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>";

    /// <summary>Breaks every connection between servers that was made so far.</summary>
    public void CutAll()
    {
        while (_pipes.TryDequeue(out var pipes)) pipes.Reset();
    }

    internal async Task<PeerTransport> ConnectAsync(Jid domain, TimeSpan limit)
    {
        _dialed.Enqueue(domain.ToString());
        if (!_places.TryGetValue(domain.ToString(), out var place))
            throw new PeerUnreachableException("there is no such domain", isUnknown: true);
        try
        {
            var pipes = await place().WaitAsync(limit, Clock);
            _pipes.Enqueue(pipes);
            return new PeerTransport(pipes.Client, pipes.Reset, "192.0.2.3:5269", _direct.Contains(domain.ToString()));
        }
        catch (TimeoutException)
        {
            throw new PeerUnreachableException("no answer in time", isUnknown: false);
        }
    }
}
