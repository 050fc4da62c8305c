using System.Net;
using Muster.Core.Streams;
using Muster.Server.Net;
using Muster.Testing;

namespace Muster.Tests.Net;

/// <summary>Where servers of a domain are looked for, with a name server of the test's own.</summary>
public sealed class SrvResolverTests : IDisposable
{
    const string Plain = "_xmpp-server._tcp.peer.test", Direct = "_xmpps-server._tcp.peer.test";

    readonly ScriptedDns _dns = new();
    readonly FakeClock _clock = new();
    TimeSpan _timeout = TestClient.Patience;
    int _cacheMax = 100;

    public void Dispose() => _dns.Dispose();

    // The time to wait is real; the age of what is remembered is the test's.
    SrvResolver Resolver(params IPEndPoint[] servers) => new(
        new DnsClient(TimeProvider.System, servers.Length > 0 ? servers : [_dns.EndPoint]), _clock,
        () => new ResolverSettings { Timeout = _timeout, Attempts = 2, CacheMax = _cacheMax }, random: _ => 0);

    async Task<string> Resolve(string domain = "peer.test", SrvResolver? resolver = null)
    {
        var places = await (resolver ?? Resolver()).ResolveAsync(domain);
        return places.Problem ?? string.Join(' ', places.Endpoints.Select(place =>
            $"{new IPEndPoint(place.Address, place.Port)}{(place.BeginsInTls ? "/tls" : "")}"));
    }

    [Fact]
    [Spec("RFC 6120", "3.2.1")]
    public async Task Services_come_in_the_order_of_their_priority()
    {
        _dns.Service(Plain, 20, 0, 5270, "b.peer.test").Service(Plain, 10, 0, 5269, "a.peer.test")
            .Address("a.peer.test", "192.0.2.1").Address("a.peer.test", "2001:db8::1")
            .Address("b.peer.test", "192.0.2.2");
        Assert.Equal("[2001:db8::1]:5269 192.0.2.1:5269 192.0.2.2:5270", await Resolve());
    }

    [Fact]
    [Spec("XEP-0368", "3")]
    public async Task Both_kinds_of_services_are_mixed()
    {
        _dns.Service(Plain, 10, 0, 5269, "a.peer.test").Service(Direct, 5, 0, 5223, "a.peer.test")
            .Service(Direct, 20, 0, 443, "a.peer.test").Address("a.peer.test", "192.0.2.1");
        Assert.Equal("192.0.2.1:5223/tls 192.0.2.1:5269 192.0.2.1:443/tls", await Resolve());
    }

    [Fact]
    [Spec("RFC 6120", "3.2.2")]
    public async Task Without_services_the_domain_itself_is_asked_for()
    {
        _dns.Address("peer.test", "192.0.2.9");
        Assert.Equal("192.0.2.9:5269", await Resolve());
    }

    [Fact]
    [Spec("RFC 2782", "Target")]
    public async Task A_domain_that_offers_no_service_is_not_asked_otherwise()
    {
        _dns.Service(Plain, 0, 0, 0, "").Address("peer.test", "192.0.2.9");
        Assert.Equal("the domain says in the DNS that it has no server for others", await Resolve());
        Assert.DoesNotContain(_dns.Questions, question => question.EndsWith(" peer.test", StringComparison.Ordinal));
    }

    [Fact]
    [Spec("XEP-0368", "5")]
    public async Task One_that_offers_no_direct_TLS_is_reached_by_the_other_kind()
    {
        _dns.Service(Direct, 0, 0, 0, "").Service(Plain, 0, 0, 5269, "a.peer.test")
            .Address("a.peer.test", "192.0.2.1");
        Assert.Equal("192.0.2.1:5269", await Resolve());
    }

    [Fact]
    public async Task What_is_not_there_is_told()
    {
        Assert.Equal("the domain has no address in the DNS", await Resolve());
        _dns.Service(Plain, 0, 0, 5269, "nowhere.test");
        Assert.Equal("the domain's servers have no address in the DNS", await Resolve());
    }

    [Theory]
    [InlineData("192.0.2.5", "192.0.2.5:5269")]
    [InlineData("[2001:db8::5]", "[2001:db8::5]:5269")]
    public async Task An_address_needs_no_looking_up(string domain, string expected)
    {
        Assert.Equal(expected, await Resolve(domain));
        Assert.Empty(_dns.Questions);
    }

    [Fact]
    public async Task International_names_are_asked_for_in_ASCII()
    {
        _dns.Address("xn--bcher-kva.test", "192.0.2.3");
        Assert.Equal("192.0.2.3:5269", await Resolve("b\u00fccher.test"));
    }

    [Fact]
    [Spec("RFC 1034", "3.6.2")]
    public async Task Aliases_are_followed()
    {
        _dns.Alias("peer.test", "a.test").Alias("a.test", "b.test").Address("b.test", "192.0.2.4");
        Assert.Equal("192.0.2.4:5269", await Resolve());
    }

    [Fact]
    public async Task Aliases_in_a_ring_and_in_an_endless_chain_end()
    {
        _dns.Alias("peer.test", "ring.test").Alias("ring.test", "peer.test");
        Assert.Equal("the domain has no address in the DNS", await Resolve());
        for (int i = 0; i < 30; i++) _dns.Alias($"n{i}.test", $"n{i + 1}.test");
        _dns.Address("n30.test", "192.0.2.1");
        Assert.Equal("the domain has no address in the DNS", await Resolve("n0.test"));
    }

    [Fact]
    [Spec("RFC 7766", "5")]
    public async Task What_does_not_fit_is_asked_for_over_TCP()
    {
        for (int i = 1; i <= 30; i++) _dns.Address("peer.test", $"192.0.2.{i}");
        _dns.Forge = (_, answer) =>
        {
            answer[2] |= 0x02;
            return [answer[..64]];
        };
        var places = await Resolver().ResolveAsync("peer.test");
        Assert.Equal(30, places.Endpoints.Count);
        Assert.Contains("tcp 1 peer.test", _dns.Questions);
    }

    [Fact]
    [Spec("RFC 5452", "9.1")]
    public async Task Forged_answers_are_passed_over_and_the_true_one_is_waited_for()
    {
        _dns.Address("peer.test", "192.0.2.7");
        _dns.Forge = (query, answer) =>
        {
            byte[] wrongId = [.. answer], otherName = [.. answer], cut = answer[..20];
            wrongId[0] ^= 1;
            otherName[13] = (byte)'q';
            return [wrongId, otherName, cut, [], query, answer];
        };
        Assert.Equal("192.0.2.7:5269", await Resolve());
    }

    [Fact]
    public async Task A_server_that_is_silent_or_broken_is_followed_by_the_next()
    {
        using var silent = new ScriptedDns { Forge = (_, _) => [] };
        using var broken = new ScriptedDns
        {
            Forge = (_, answer) =>
            {
                answer[3] = 2; // SERVFAIL
                return [answer];
            },
        };
        _dns.Address("peer.test", "192.0.2.8");
        _timeout = TimeSpan.FromSeconds(3);
        var resolver = Resolver(silent.EndPoint, broken.EndPoint, _dns.EndPoint);
        Assert.Equal("192.0.2.8:5269", await Resolve(resolver: resolver));
        Assert.NotEmpty(silent.Questions);
        Assert.NotEmpty(broken.Questions);
    }

    [Fact]
    public async Task Silence_ends_after_the_time_for_it_and_is_not_remembered()
    {
        _dns.Forge = (_, _) => [];
        // In real time: each attempt gets half, which a loaded machine must not use up before the second begins.
        _timeout = TimeSpan.FromMilliseconds(1500);
        var resolver = Resolver();
        Assert.Equal("the domain has no address in the DNS", await Resolve(resolver: resolver));
        // Twice for each of four names and types, as there are two attempts.
        Assert.Equal(8, _dns.Questions.Count);
        Assert.Equal(0, resolver.CacheCount);
        (_dns.Forge, _timeout) = (null, TestClient.Patience);
        _dns.Address("peer.test", "192.0.2.1");
        Assert.Equal("192.0.2.1:5269", await Resolve(resolver: resolver));
    }

    [Fact]
    public async Task Answers_are_remembered_as_long_as_they_live()
    {
        _dns.Address("peer.test", "192.0.2.1");
        var resolver = Resolver();
        await Resolve(resolver: resolver);
        int asked = _dns.Questions.Count;
        await Resolve(resolver: resolver);
        Assert.Equal(asked, _dns.Questions.Count);
        // What is not there is believed for the minute that the zone says, what is there for five.
        _clock.Advance(TimeSpan.FromSeconds(61));
        await Resolve(resolver: resolver);
        Assert.DoesNotContain("udp 1 peer.test", _dns.Questions.Skip(asked));
        Assert.Contains($"udp 33 {Plain}", _dns.Questions.Skip(asked));
        asked = _dns.Questions.Count;
        _clock.Advance(TimeSpan.FromSeconds(240));
        await Resolve(resolver: resolver);
        Assert.Contains("udp 1 peer.test", _dns.Questions.Skip(asked));
    }

    [Fact]
    public async Task What_is_remembered_has_a_bound()
    {
        _cacheMax = 20;
        var resolver = Resolver();
        for (int i = 0; i < 40; i++) await resolver.ResolveAsync($"d{i}.test");
        Assert.InRange(resolver.CacheCount, 1, 20);
    }

    [Fact]
    [Spec("RFC 2782", "Weight")]
    public void Chance_decides_by_weight_among_equals()
    {
        (ushort, ushort, ushort)[] records = [(1, 0, 1), (1, 10, 2), (1, 30, 3), (0, 5, 4)];
        var firsts = new Dictionary<int, int>();
        var random = new Random(7);
        for (int i = 0; i < 4000; i++)
        {
            int[] order = [.. SrvOrder.Of(records, record => record, random.Next).Select(record => (int)record.Item3)];
            Assert.Equal(4, order[0]); // the lowest priority number always
            Assert.Equal([1, 2, 3, 4], order.Order());
            firsts[order[1]] = firsts.GetValueOrDefault(order[1]) + 1;
        }
        Assert.InRange(firsts[3], 2700, 3100);  // three quarters
        Assert.InRange(firsts[2], 800, 1150);
        Assert.InRange(firsts[1], 30, 200);     // weight 0: only when the number is 0
    }
}
