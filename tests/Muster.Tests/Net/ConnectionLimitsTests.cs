using System.Diagnostics.Metrics;
using Muster.Core.Sessions;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Net;

/// <summary>What the server counts, whom it slows down and turns away, and that nothing is left when all have
/// gone.</summary>
public sealed class ConnectionLimitsTests
{
    [Fact]
    public async Task WhoSendsTooFastIsReadMoreSlowly()
    {
        await using var bench = new NetBench(settings => settings with { BytesPerSecondMax = 2000 });
        var romeo = await bench.LoginAsync(); // some 800 bytes, which the bucket holds
        string body = new('x', 1900);
        for (int i = 0; i < 3; i++) await romeo.SendAsync($"<message id='m{i}'><body>{body}</body></message>");
        await Task.Delay(100);
        int before = bench.Host.Received.Count;
        Assert.InRange(before, 1, 2);
        for (int i = 0; i < 20 && bench.Host.Received.Count < 3; i++)
        {
            bench.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20);
        }
        Assert.Equal(["m0", "m1", "m2"], bench.Host.Received.Select(stanza => stanza.Id));
    }

    [Fact]
    public async Task WhoMustWaitIsNotTakenForIdle()
    {
        await using var bench = new NetBench();
        var gate = new TaskCompletionSource();
        bench.Host.OnReceive = _ => gate.Task;
        var romeo = await bench.LoginAsync();
        await romeo.SendAsync("<message to='a@b' id='1'/>");
        await Task.Delay(50);
        bench.Clock.Advance(bench.Settings.IdleTimeout + bench.Settings.PingTimeout + TimeSpan.FromMinutes(1));
        gate.SetResult();
        await romeo.ExpectAsync("<message from='romeo@localhost' to='romeo@localhost/orchard' id='1'/>");
    }

    [Fact]
    public async Task WhoMayNotLogInHereIsToldAfterTheProof()
    {
        await using var bench = new NetBench(settings => settings with { MayLogIn = jid => jid.Local is not "romeo" });
        var romeo = bench.Connect();
        await romeo.OpenAsync();
        await romeo.SendAsync(NetBench.Auth("romeo", "wrong"));
        Assert.Equal("not-authorized", (await romeo.ReceiveAsync()).FirstElement!.Name);
        await romeo.SendAsync(NetBench.Auth("romeo", "romeo"));
        Assert.Equal("account-disabled", (await romeo.ReceiveAsync()).FirstElement!.Name);
        await bench.LoginAsync("juliet", "balcony");
    }

    [Fact]
    public async Task EverythingIsCounted()
    {
        await using var bench = new NetBench();
        var counts = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, bench.Meters.Meter)) self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            string name = tags.Length == 0 ? instrument.Name : $"{instrument.Name} {tags[0].Key}={tags[0].Value}";
            lock (counts) counts[name] = counts.GetValueOrDefault(name) + value;
        });
        listener.Start();

        var romeo = bench.Connect(out _, out var life);
        await romeo.OpenAsync();
        await romeo.SendAsync(NetBench.Auth("romeo", "wrong"));
        await romeo.ReceiveAsync();
        await romeo.SendAsync(NetBench.Auth("romeo", "romeo"));
        await romeo.ReceiveAsync();
        await romeo.OpenAsync();
        await romeo.BindAsync("orchard");
        await romeo.ExpectNothingAsync();
        await romeo.SendAsync("<!-- -->");
        await romeo.ExpectStreamErrorAsync("restricted-xml");
        await romeo.SendAsync("</stream:stream>");
        await romeo.DisposeAsync();
        await life.WaitAsync(TestClient.Patience);

        lock (counts)
        {
            Assert.Equal(1, counts["muster_client_connections_total"]);
            Assert.Equal(0, counts["muster_client_connections"]);
            Assert.Equal(1, counts["muster_login_failures_total reason=not-authorized"]);
            Assert.Equal(1, counts["muster_logins_total mechanism=PLAIN"]);
            Assert.Equal(1, counts["muster_sessions_total"]);
            Assert.Equal(1, counts["muster_client_stanzas_total"]);
            Assert.Equal(1, counts["muster_stream_errors_total condition=restricted-xml"]);
            Assert.InRange(counts["muster_client_read_bytes_total"], 500, 2000);
            Assert.InRange(counts["muster_client_written_bytes_total"], 1000, 4000);
        }
        Assert.Contains(bench.Logs.Lines, line => line.Id.Id == 1005 && line.Text.Contains("romeo@localhost/orchard"));
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public async Task NothingIsLeftWhenAllHaveGone(int seed)
    {
        await using var bench = new NetBench(settings => settings with { OutboundBytesMax = 50_000 });
        var random = new Random(seed);
        var plans = Enumerable.Range(0, 24).Select(i => (Resource: $"r{i % 16}", Way: random.Next(6))).ToList();
        var lives = plans.Select(plan => LiveAsync(bench, plan.Resource, plan.Way)).ToList();
        await Task.WhenAll(lives).WaitAsync(TestClient.Patience);
        for (int i = 0; i < 100 && bench.Timers.Count > 0; i++)
        {
            bench.Clock.Advance(TimeSpan.FromSeconds(10)); // those that do not close are cut off
            await Task.Delay(10);
        }
        Assert.Equal(0, bench.Timers.Count);
        // Every session was ended, and by its connection once; another end is the host's own business.
        Assert.Equal(bench.Host.BoundCount, bench.Host.Ended.Distinct().Count());
        Assert.Equal(bench.Host.Ended.Count, bench.Host.Ended.Distinct().Count());
        Assert.All(bench.Host.Ended, session => Assert.False(session.IsAlive));
    }

    /// <summary>One client's life, which ends in one of several ways.</summary>
    static async Task LiveAsync(NetBench bench, string resource, int way)
    {
        var client = bench.Connect(out var pipes, out _);
        try
        {
            await client.LoginAsync("romeo", "romeo", resource);
            var session = bench.Host.Find($"romeo@localhost/{resource}");
            switch (way)
            {
                case 0: await client.CloseAsync(); break;
                case 1: pipes.Reset(); break;
                case 2: await client.SendAsync("<oops"); await client.DisposeAsync(); break;
                case 3: await client.SendAsync("</wrong>"); break;
                case 4: session.End(StreamError.Reset); break;
                default:
                    client.Pause();
                    var message = new Message(MessageType.Chat, session.Account, session.Jid, "m",
                        new Element(Namespaces.Client, "body", new string('x', 20_000)));
                    while (session.Deliver(message) == DeliverOutcome.Written) await Task.Yield();
                    break;
            }
        }
        catch (Exception error) when (error is EndOfStreamException or InvalidOperationException or IOException)
        {
            // Another client took the resource meanwhile.
        }
    }
}
