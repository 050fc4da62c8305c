using System.Net;
using System.Security.Cryptography;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;

namespace Muster.Server.Net;

/// <summary>A place where a domain's server may be reached.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Port">Its port.</param>
/// <param name="BeginsInTls">Whether TLS begins with the connection (XEP-0368).</param>
readonly record struct PeerEndpoint(IPAddress Address, int Port, bool BeginsInTls);

/// <summary>Where a domain's server may be reached.</summary>
/// <param name="Endpoints">The places, in the order of trying.</param>
/// <param name="Problem">Why there are none, for people; else null.</param>
sealed record PeerPlaces(IReadOnlyList<PeerEndpoint> Endpoints, string? Problem);

/// <summary>How names are looked up.</summary>
sealed record ResolverSettings
{
    /// <summary>How long one look-up may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often each name server is asked.</summary>
    public int Attempts { get; init; } = 2;

    /// <summary>Names that are remembered.</summary>
    public int CacheMax { get; init; } = 10_000;
}

/// <summary>
/// Finds the servers of a domain (RFC 6120 §3.2): the SRV records of both kinds of connection, mixed as XEP-0368 §3
/// says, in the order of RFC 2782, and their addresses; or the addresses of the domain itself.
/// </summary>
/// <param name="dns">Who asks.</param>
/// <param name="clock">Tells when what is remembered is too old.</param>
/// <param name="settings">How to ask, and how much to remember; read for each look-up.</param>
/// <param name="random">A number below the given one; null for one that nobody can guess.</param>
sealed class SrvResolver(
    DnsClient dns, TimeProvider clock, Func<ResolverSettings> settings, Func<int, int>? random = null)
{
    /// <summary>RFC 6120 §14.3: the port where no SRV record says otherwise.</summary>
    public const int DefaultPort = 5269;

    const int EndpointsMax = 16;
    static readonly TimeSpan TtlMax = TimeSpan.FromDays(1);

    readonly DnsCache _cache = new(clock);
    readonly Func<int, int> _random = random ?? RandomNumberGenerator.GetInt32;

    /// <summary>Names that are remembered.</summary>
    public int CacheCount => _cache.Count;

    /// <summary>Finds where a domain's server may be. Never throws for what the network does.</summary>
    public async Task<PeerPlaces> ResolveAsync(string domain)
    {
        if (Literal(domain) is { } literal) return new([new PeerEndpoint(literal, DefaultPort, false)], null);
        string name = JidPrep.ToAscii(domain);
        var plain = LookUpAsync($"_xmpp-server._tcp.{name}", DnsType.Srv);
        var direct = LookUpAsync($"_xmpps-server._tcp.{name}", DnsType.Srv);
        await Task.WhenAll(plain, direct);
        var services = (await plain).Records.Select(record => (Record: record, BeginsInTls: false))
            .Concat((await direct).Records.Select(record => (Record: record, BeginsInTls: true))).ToList();
        if (services.Count == 0)
        {
            // RFC 6120 §3.2.2: no such records, or no answer.
            var addresses = await AddressesOf(name);
            return addresses.Count > 0
                ? new([.. addresses.Select(address => new PeerEndpoint(address, DefaultPort, false))], null)
                : new([], "the domain has no address in the DNS");
        }
        // RFC 2782: a target "." says that there is no such service; RFC 6120 §3.2.1: then there is no falling back.
        services.RemoveAll(service => service.Record.Target.Length == 0);
        if (services.Count == 0) return new([], "the domain says in the DNS that it has no server for others");
        var places = new List<PeerEndpoint>();
        foreach (var (record, beginsInTls) in SrvOrder.Of(services, service => service.Record.Service, _random))
        {
            if (places.Count >= EndpointsMax) break;
            foreach (var address in await AddressesOf(record.Target))
                places.Add(new PeerEndpoint(address, record.Service.Port, beginsInTls));
        }
        return places.Count > 0
            ? new(places.Take(EndpointsMax).ToList(), null)
            : new([], "the domain's servers have no address in the DNS");
    }

    async Task<IReadOnlyList<IPAddress>> AddressesOf(string name)
    {
        // RFC 6761 §6.3.
        if (name is "localhost") return [IPAddress.IPv6Loopback, IPAddress.Loopback];
        var six = LookUpAsync(name, DnsType.Aaaa);
        var four = LookUpAsync(name, DnsType.A);
        await Task.WhenAll(six, four);
        return [.. (await six).Records.Concat((await four).Records).Select(record => record.Address!)];
    }

    async Task<DnsAnswer> LookUpAsync(string name, DnsType type)
    {
        if (_cache.Find(name, type) is { } known) return known;
        var rules = settings();
        var answer = await dns.LookUpAsync(name, type, rules.Timeout, rules.Attempts);
        var ttl = answer.Ttl < TtlMax ? answer.Ttl : TtlMax;
        if (answer.Outcome != DnsOutcome.Failed && ttl > TimeSpan.Zero)
            _cache.Keep(name, type, answer, ttl, rules.CacheMax);
        return answer;
    }

    // RFC 7622 §3.2: a domain may be an address; an IPv6 one stands in brackets.
    static IPAddress? Literal(string domain) =>
        domain.StartsWith('[') ? IPAddress.Parse(domain.AsSpan(1, domain.Length - 2))
        : domain.Count(c => c == '.') == 3 && IPAddress.TryParse(domain, out var address) ? address : null;
}
