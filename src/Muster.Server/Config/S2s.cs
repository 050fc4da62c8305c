using System.Net;
using Muster.Core.Streams;

namespace Muster.Server.Config;

/// <summary>How the server talks with other servers.</summary>
sealed class S2sConfig(Section s)
{
    internal static readonly (string, PeerTls)[] TlsWords =
        [("optional", PeerTls.Optional), ("required", PeerTls.Required), ("required_trusted", PeerTls.RequiredTrusted)];

    static readonly (string, bool)[] Policies = [("allow", true), ("deny", false)];

    public PeerTls UseStartTls { get; } = s.Choice("use_starttls", PeerTls.Required,
        "Encryption of streams between servers: \"optional\", \"required\" (certificate or dialback), " +
            "\"required_trusted\" (a certificate from a known authority).",
        TlsWords, reloads: true);

    public string? CaCertFile { get; } = s.OptionalFile(
        "cacertfile", "the authorities that the system trusts",
        "PEM file with certificates of further authorities that are trusted to vouch for other servers.",
        reloads: true);

    public IReadOnlyList<S2sAddress> Addresses { get; } =
        s.Tables("address", "Fixed addresses of other servers, instead of DNS.", t => new S2sAddress(t), reloads: true);

    public bool AllowsByDefault { get; } = s.Choice(
        "default_policy", true, "Whether servers that host_policy does not name may connect and be connected to.",
        Policies, reloads: true);

    public IReadOnlyList<S2sHostPolicy> HostPolicies { get; } =
        s.Tables("host_policy", "Servers that are allowed or denied by name.", t => new S2sHostPolicy(t, Policies),
        reloads: true);

    public string? Shared { get; } = s.OptionalText(
        "shared", "made at random at each start",
        "Secret of the dialback keys (XEP-0220, XEP-0185); all nodes of a cluster need the same.", secret: true);

    public TimeSpan ConnectionTimeout { get; } =
        s.Milliseconds("connection_timeout", 10_000, "How long connecting to another server may take.", reloads: true);
    public TimeSpan StreamTimeout { get; } =
        s.Milliseconds("stream_timeout", 600_000, "A stream without traffic is closed after this time.", min: 1000,
        reloads: true);
    public TimeSpan MaxRetryDelay { get; } =
        s.Seconds("max_retry_delay", 300, "Longest pause between attempts to reach a server; the first is short, " +
        "each doubles.", reloads: true);
    public TimeSpan DnsTimeout { get; } = s.Seconds(
        "dns_timeout", 10, "How long one DNS look-up may take.", reloads: true);
    public int DnsRetries { get; } = s.Int("dns_retries", 2, "Attempts of a DNS look-up.", min: 1, max: 10,
        reloads: true);

    /// <summary>The option of one server; null when it is not given.</summary>
    internal static PeerTls? TlsOf(Section s) => s.Parsed<PeerTls?>(
        "use_starttls", null, null, "one of \"optional\", \"required\", \"required_trusted\"",
        "As s2s.use_starttls, for this server alone.", static text =>
            Array.FindIndex(TlsWords, w => w.Item1 == text) is >= 0 and var i ? TlsWords[i].Item2 : null,
        unset: "as s2s.use_starttls");
}

/// <summary>Where a domain's server is.</summary>
sealed class S2sAddress(Section s)
{
    public string Host { get; } = s.RequiredDomain("host", "peer.test", "The domain.");
    public IPAddress IpAddress { get; } = s.Ip("ip_address", "127.0.0.1", "Its address.", required: true);
    public int Port { get; } = s.Port("port", 5269, "Its port.", min: 1);

    /// <summary>Null: as for all servers.</summary>
    public PeerTls? UseStartTls { get; } = S2sConfig.TlsOf(s);
}

/// <summary>Whether one domain may connect.</summary>
sealed class S2sHostPolicy(Section s, (string, bool)[] policies)
{
    public string Host { get; } = s.RequiredDomain("host", "peer.test", "The domain.");
    public bool Allows { get; } = s.Choice("policy", true, "What happens with it.", policies, required: true);

    /// <summary>Null: as for all servers.</summary>
    public PeerTls? UseStartTls { get; } = S2sConfig.TlsOf(s);
}

/// <summary>Services that the server asks.</summary>
sealed class OutgoingPoolsConfig(Section s)
{
    public IReadOnlyDictionary<string, HttpPoolConfig> Http { get; } =
        s.Named("http", "HTTP services, by the name that options such as mod_muc's http_auth_pool use.", t =>
        new HttpPoolConfig(t), reloads: true);
}

/// <summary>MongooseIM's names for the ways to choose a worker.</summary>
enum PoolStrategy { BestWorker, RandomWorker, NextWorker, AvailableWorker, NextAvailableWorker }

/// <summary>One HTTP service and how hard it may be asked.</summary>
sealed class HttpPoolConfig(Section s)
{
    public PoolStrategy Strategy { get; } = s.Choice("strategy", PoolStrategy.BestWorker,
        "How MongooseIM spreads requests over workers. Accepted; requests here are all treated alike, first come " +
            "first served.",
        [
            ("best_worker", PoolStrategy.BestWorker), ("random_worker", PoolStrategy.RandomWorker),
            ("next_worker", PoolStrategy.NextWorker),
            ("available_worker", PoolStrategy.AvailableWorker),
            ("next_available_worker", PoolStrategy.NextAvailableWorker),
        ]);

    public int Workers { get; } = s.Int("workers", 10, "Requests under way at a time; further ones wait.", min: 1,
        max: 10_000);
    public int? MaxWorkerQueueLength { get; } =
        s.IntOrInfinity("max_worker_queue_len", null, "Requests that may wait for each worker; further ones fail.");
    public TimeSpan CallTimeout { get; } = s.Milliseconds(
        "call_timeout", 5000, "How long a request may take, waiting for its turn included.");

    public HttpConnectionConfig Connection { get; } =
        s.Table("connection", "Where the service is.", t => new HttpConnectionConfig(t), required: true);
}

/// <summary>Where an HTTP service is.</summary>
sealed class HttpConnectionConfig(Section s)
{
    public Uri Host { get; } = s.Parsed("host", new Uri("http://127.0.0.1"), null,
        "an http:// or https:// address of a host, with or without port", "Address of the service.", AsHost,
        example: "http://127.0.0.1:8000");

    public string PathPrefix { get; } = s.Text("path_prefix", "/", "Start of the path of every request.");
    public TimeSpan RequestTimeout { get; } =
        s.Milliseconds("request_timeout", 2000, "How long the service may take to answer.");

    static Uri? AsHost(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri.PathAndQuery == "/" && uri.Fragment.Length == 0 ? uri : null;
}
