using System.Text;
using Muster.Core.Sessions;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Net;

/// <summary>What a client sees of its connection, from the first byte to the last, and what the server keeps of
/// it.</summary>
public sealed class ClientConnectionTests
{
    const string Header = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' " +
        "xmlns:stream='http://etherx.jabber.org/streams'>";
    const string Bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";

    [Fact]
    public async Task ClientLogsInBindsAndTalks()
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        Assert.Equal("romeo@localhost/orchard", romeo.Jid.ToString());
        await romeo.SendAsync("<message type='chat' to='juliet@localhost' id='m1'><body>hello</body></message>");
        await romeo.ExpectAsync("<message type='chat' from='romeo@localhost' to='romeo@localhost/orchard' id='m1'>" +
            "<body>hello</body></message>");
    }

    [Fact]
    [Spec("RFC 6120", "4.4")]
    public async Task TheClientClosesAndTheServerFollows()
    {
        await using var bench = new NetBench();
        var romeo = bench.Connect(out _, out var life);
        await romeo.LoginAsync("romeo", "romeo", "orchard");
        await romeo.SendAsync("</stream:stream>");
        await romeo.ExpectEndAsync();
        await life.WaitAsync(TestClient.Patience);
        Assert.Single(bench.Host.Ended);
        Assert.Equal(0, bench.Timers.Count);
    }

    [Fact]
    [Spec("RFC 6120", "4.4")]
    public async Task TheServerClosesAndTheClientFollows()
    {
        await using var bench = new NetBench();
        var romeo = bench.Connect(out _, out var life);
        await romeo.LoginAsync("romeo", "romeo", "orchard");
        bench.Host.Find("romeo@localhost/orchard").End(StreamError.NotAuthorized.WithText("kicked"));
        var error = await romeo.ExpectStreamErrorAsync("not-authorized");
        Assert.Matches(@"^kicked \(connection c[0-9a-z]+\)$", error.Child(Namespaces.StreamErrors, "text")!.Text);
        Assert.False(life.IsCompleted);
        await romeo.SendAsync("<message/></stream:stream>"); // what comes before its end is not looked at any more
        await life.WaitAsync(TestClient.Patience);
        Assert.Empty(bench.Host.Received);
        Assert.Single(bench.Host.Ended);
    }

    [Fact]
    [Spec("RFC 6120", "4.4")]
    public async Task APeerThatDoesNotCloseIsCutOff()
    {
        await using var bench = new NetBench();
        var romeo = bench.Connect(out _, out var life);
        await romeo.LoginAsync("romeo", "romeo", "orchard");
        bench.Host.Find("romeo@localhost/orchard").End(null);
        await romeo.ExpectEndAsync();
        await Patience.Eventually(() => bench.Host.Ended.Count == 1); // the session does not wait for the peer
        bench.Clock.Advance(bench.Settings.CloseTimeout - TimeSpan.FromSeconds(1));
        await Task.Delay(20);
        Assert.False(life.IsCompleted);
        bench.Clock.Advance(TimeSpan.FromSeconds(3));
        await life.WaitAsync(TestClient.Patience);
    }

    [Fact]
    public async Task AConnectionThatIsCutEndsItsSession()
    {
        await using var bench = new NetBench();
        var romeo = bench.Connect(out var pipes, out var life);
        await romeo.LoginAsync("romeo", "romeo", "orchard");
        pipes.Reset();
        await life.WaitAsync(TestClient.Patience);
        Assert.Single(bench.Host.Ended);
    }

    [Fact]
    public async Task AHalfClosedConnectionIsClosed()
    {
        await using var bench = new NetBench();
        var romeo = bench.Connect(out var pipes, out var life);
        await romeo.LoginAsync("romeo", "romeo", "orchard");
        await pipes.Client.Output.CompleteAsync();
        await romeo.ExpectEndAsync();
        await life.WaitAsync(TestClient.Patience);
        Assert.Single(bench.Host.Ended);
    }

    public static TheoryData<string, string> BadXml => new()
    {
        // RFC 6120 §4.9.3, §11.1
        { "<message><body>x</message>", "not-well-formed" },
        { "<message to=juliet/>", "not-well-formed" },
        { "<message>&nbsp;</message>", "restricted-xml" },
        { "<message><!-- hidden --></message>", "restricted-xml" },
        { "<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml" },
        { "<?php evil ?>", "restricted-xml" },
        { "hello", "bad-format" },
        { "<enable xmlns='urn:unknown'/>", "unsupported-stanza-type" },
        { "<message from='juliet@localhost' to='a@b'/>", "invalid-from" },
        { "<message from='localhost' to='a@b'/>", "invalid-from" },
        { "<message from='@' to='a@b'/>", "invalid-from" },
        { "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>", "policy-violation" },
    };

    [Theory, MemberData(nameof(BadXml))]
    [Spec("RFC 6120", "4.9.3")]
    [Spec("RFC 6120", "8.1.2.1")]
    public async Task WhatBreaksTheStreamIsNamed(string xml, string condition)
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        await romeo.SendAsync(xml);
        await romeo.ExpectStreamErrorAsync(condition);
        await Patience.Eventually(() => bench.Host.Ended.Count == 1);
        Assert.Empty(bench.Host.Received);
    }

    [Theory]
    [Spec("RFC 6120", "8.1.2.1")]
    [InlineData("romeo@localhost"), InlineData("romeo@localhost/orchard"), InlineData("romeo@localhost/other")]
    public async Task AStanzaIsFromTheResourceWhateverTheUserSays(string from)
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        await romeo.SendAsync($"<message from='{from}' to='a@b'/>");
        await Patience.Eventually(() => bench.Host.Received.Count == 1);
        Assert.Equal("romeo@localhost/orchard", bench.Host.Received.Single().From.ToString());
    }

    [Theory]
    [Spec("RFC 6120", "8.3.3")]
    [InlineData("<message to='@' id='1'/>", "jid-malformed")]
    [InlineData("<iq type='get' to='juliet@localhost' id='1'/>", "bad-request")]
    [InlineData("<iq type='what' id='1'><x xmlns='urn:x'/></iq>", "bad-request")]
    [InlineData("<iq type='get' id='1'><x xmlns='urn:x'/><y xmlns='urn:x'/></iq>", "bad-request")]
    [InlineData("<presence type='what' id='1'/>", "bad-request")]
    public async Task AStanzaThatCannotBeReadIsAnswered(string xml, string condition)
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        await romeo.SendAsync(xml);
        var answer = await romeo.ReceiveAsync();
        Assert.Equal("error", answer.Attribute("type"));
        Assert.Equal("1", answer.Attribute("id"));
        Assert.Equal("romeo@localhost/orchard", answer.Attribute("to"));
        Assert.Equal(condition, answer.Child("error")!.FirstElement!.Name);
        await romeo.ExpectNothingAsync();
    }

    [Theory]
    [Spec("RFC 6120", "8.3.1")]
    [InlineData("<message type='error' to='@'/>")]
    [InlineData("<iq type='result' to='@' id='1'/>")]
    [InlineData("<iq type='error' id='1' to='@'><error/></iq>")]
    public async Task ErrorsAndResultsAreNeverAnswered(string xml)
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        await romeo.SendAsync(xml);
        await romeo.ExpectNothingAsync();
    }

    [Theory]
    [Spec("RFC 6120", "8.1.2.1")]
    [InlineData("")]
    [InlineData("from='romeo@localhost'")]
    [InlineData("from='romeo@localhost/orchard'")]
    [InlineData("from='ROMEO@localhost/orchard'")]
    public async Task FromIsStampedWithTheFullJid(string from)
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        await romeo.SendAsync($"<message {from} to='juliet@localhost' id='m'/>");
        await romeo.ReceiveAsync();
        Assert.Equal("romeo@localhost/orchard", bench.Host.Received.First().From.ToString());
    }

    [Theory]
    [Spec("RFC 6120", "4.7.4")]
    [Spec("RFC 6120", "8.1.5")]
    [InlineData("de", "", "de")]
    [InlineData("de", "xml:lang='cs'", "cs")]
    [InlineData("d&lt;e", "", null)]
    [InlineData("", "", null)]
    public async Task AStanzaHasTheLanguageOfItsStream(string stream, string stanza, string? lang)
    {
        await using var bench = new NetBench();
        var romeo = bench.Connect();
        romeo.Lang = stream;
        await romeo.LoginAsync("romeo", "romeo", "orchard");
        await romeo.SendAsync($"<message {stanza} to='juliet@localhost' id='m'/>");
        await romeo.ReceiveAsync();
        Assert.Equal(lang, bench.Host.Received.First().Lang);
    }

    [Fact]
    [Spec("RFC 6120", "4.9.3.14")]
    public async Task AStanzaThatIsTooLargeEndsTheStream()
    {
        await using var bench = new NetBench(settings => settings with { Limits = new(ItemBytesMax: 20_000) });
        var romeo = await bench.LoginAsync();
        string body = new('x', 15_000);
        await romeo.SendAsync($"<message to='juliet@localhost'><body>{body}</body></message>");
        await romeo.ReceiveAsync();
        await romeo.SendAsync($"<message to='juliet@localhost'><body>{body}{body}</body></message>");
        await romeo.ExpectStreamErrorAsync("policy-violation");
        Assert.Single(bench.Host.Received);
    }

    [Fact]
    public async Task AStanzaThatIsTooDeepEndsTheStream()
    {
        await using var bench = new NetBench(settings => settings with { Limits = new(DepthMax: 10) });
        var romeo = await bench.LoginAsync();
        await romeo.SendAsync(string.Concat(Enumerable.Repeat("<message>", 11)));
        await romeo.ExpectStreamErrorAsync("policy-violation");
    }

    [Fact]
    [Spec("RFC 6120", "4.9.3.22")]
    public async Task BadUtf8EndsTheStream()
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        byte[] bytes = [.. "<message><body>"u8, 0xC3, 0x28, .. "</body></message>"u8];
        await romeo.SendAsync(bytes);
        await romeo.ExpectStreamErrorAsync("unsupported-encoding");
    }

    [Theory]
    [Spec("RFC 6120", "4.9.1.3")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "not-well-formed")]
    [InlineData("<message/>", "invalid-namespace")]
    [InlineData("<?xml version='1.0' encoding='latin1'?>", "unsupported-encoding")]
    [InlineData("<?xml version='1.0'?><!DOCTYPE x>", "restricted-xml")]
    public async Task AnErrorBeforeTheStreamBeginsIsToldInsideOne(string bytes, string condition)
    {
        await using var bench = new NetBench();
        var client = bench.Connect();
        await client.SendAsync(bytes);
        Assert.Equal(XmlItemKind.StreamOpen, (await client.NextAsync()).Kind);
        await client.ExpectStreamErrorAsync(condition);
    }

    [Theory]
    [Spec("RFC 6120", "4.9.3.12")]
    [InlineData("<message to='juliet@localhost'><body>x</body></message>")]
    [InlineData("<presence/>")]
    [InlineData("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")]
    public async Task NoStanzaBeforeLogin(string xml)
    {
        await using var bench = new NetBench();
        var client = bench.Connect();
        await client.OpenAsync();
        await client.SendAsync(xml);
        await client.ExpectStreamErrorAsync("not-authorized");
        Assert.Empty(bench.Host.Received);
        Assert.Empty(bench.Host.Ended);
    }

    [Fact]
    [Spec("RFC 6120", "7.7.2.2")]
    public async Task ASecondLoginOfTheSameResourceEndsTheFirst()
    {
        await using var bench = new NetBench();
        var first = await bench.LoginAsync();
        var second = await bench.LoginAsync();
        await first.ExpectStreamErrorAsync("conflict");
        await second.ExpectNothingAsync();
        await Patience.Eventually(() => bench.Host.Ended.Count == 1);
    }

    [Fact]
    public async Task ARefusedBindMayBeTriedAgain()
    {
        await using var bench = new NetBench();
        bench.Host.BindRefusal = StanzaError.ResourceConstraint;
        var client = bench.Connect();
        await client.AuthenticateAsync("romeo", "romeo");
        var refused = await client.AskAsync(Bind);
        Assert.Equal("resource-constraint", refused.Child("error")!.FirstElement!.Name);
        bench.Host.BindRefusal = null;
        await client.BindAsync("orchard");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Spec("RFC 3921", "3")]
    public async Task TheSessionRequestIsAnsweredAtAnyTime()
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        await romeo.ExpectNothingAsync();
        var answer = await romeo.AskAsync("<iq type='set'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
        Assert.Equal("result", answer.Attribute("type"));
        answer = await romeo.AskAsync(Bind);
        Assert.Equal("not-allowed", answer.Child("error")!.FirstElement!.Name);
        Assert.Single(bench.Host.Received);
    }

    [Fact]
    public async Task WhoDoesNotLogInInTimeIsClosed()
    {
        await using var bench = new NetBench();
        var silent = bench.Connect();
        var slow = bench.Connect();
        await slow.AuthenticateAsync("romeo", "romeo"); // and does not bind
        var halfway = bench.Connect();
        await halfway.OpenAsync();
        await halfway.SendAsync(NetBench.Auth("romeo", "romeo")); // and does not begin the stream that follows
        Assert.Equal("success", (await halfway.ReceiveAsync()).Name);
        var romeo = await bench.LoginAsync();
        bench.Clock.Advance(bench.Settings.LoginTimeout - TimeSpan.FromSeconds(1));
        await romeo.ExpectNothingAsync();
        bench.Clock.Advance(TimeSpan.FromSeconds(3));
        await slow.ExpectStreamErrorAsync("connection-timeout");
        Assert.Equal(XmlItemKind.StreamOpen, (await halfway.NextAsync()).Kind);
        await halfway.ExpectStreamErrorAsync("connection-timeout");
        Assert.Equal(XmlItemKind.StreamOpen, (await silent.NextAsync()).Kind);
        await silent.ExpectStreamErrorAsync("connection-timeout");
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    [Spec("RFC 6120", "13.12")]
    public async Task WhoSendsTooMuchBeforeLoginIsClosed()
    {
        await using var bench = new NetBench();
        var client = bench.Connect();
        await client.OpenAsync();
        string failing = NetBench.Auth("romeo", new string('x', 900));
        for (int i = 0; i < 4; i++)
        {
            await client.SendAsync(failing);
            Assert.Equal("failure", (await client.ReceiveAsync()).Name);
        }
        for (int i = 0; i < 8; i++) await client.SendAsync(new string(' ', 8192));
        await client.ExpectStreamErrorAsync("policy-violation");
    }

    [Fact]
    [Spec("RFC 6120", "6.4.5")]
    public async Task TheFifthFailureEndsTheStream()
    {
        await using var bench = new NetBench();
        var client = bench.Connect();
        await client.OpenAsync();
        for (int i = 0; i < 5; i++)
        {
            await client.SendAsync(NetBench.Auth("romeo", "wrong"));
            Assert.Equal("failure", (await client.ReceiveAsync()).Name);
        }
        await client.ExpectStreamErrorAsync("policy-violation");
    }

    [Fact]
    public async Task ADatabaseThatIsAwayIsNoWrongPassword()
    {
        await using var bench = new NetBench();
        var client = bench.Connect();
        await client.OpenAsync();
        await client.SendAsync(NetBench.Auth("away", "away"));
        Assert.Equal("temporary-auth-failure", (await client.ReceiveAsync()).FirstElement!.Name);
        await client.SendAsync(NetBench.Auth("romeo", "romeo"));
        Assert.Equal("success", (await client.ReceiveAsync()).Name);
    }

    [Fact]
    [Spec("XEP-0199", "s2c")]
    public async Task AnIdleClientIsPingedAndASilentOneGivenUp()
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        var juliet = await bench.LoginAsync("juliet", "balcony");
        bench.Clock.Advance(bench.Settings.IdleTimeout + TimeSpan.FromSeconds(2));
        await romeo.ExpectAsync("<iq type='get' from='localhost' to='romeo@localhost/orchard' id='{ping}'>" +
            "<ping xmlns='urn:xmpp:ping'/></iq>");
        await juliet.ReceiveAsync();
        await romeo.SendAsync("<iq type='result' to='localhost' id='{ping}'/>");
        await romeo.ExpectNothingAsync();
        bench.Clock.Advance(bench.Settings.PingTimeout + TimeSpan.FromSeconds(2));
        await juliet.ExpectStreamErrorAsync("connection-timeout");
        await romeo.ExpectNothingAsync();
        Assert.DoesNotContain(bench.Host.Received, stanza => stanza is Iq { Type: IqType.Result });
        await Patience.Eventually(() => bench.Host.Ended.Count == 1);
    }

    [Fact]
    [Spec("RFC 6120", "4.6.1")]
    public async Task WhiteSpaceKeepsAConnectionAlive()
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        for (int i = 0; i < 4; i++)
        {
            bench.Clock.Advance(bench.Settings.IdleTimeout * 0.75);
            await romeo.SendAsync(" ");
            await romeo.ExpectNothingAsync();
        }
    }

    [Fact]
    public async Task AClientThatDoesNotReadLosesItsConnection()
    {
        await using var bench = new NetBench(settings => settings with { OutboundBytesMax = 100_000 });
        var life = bench.Accept(out var pipes);
        var login = new TestClient(pipes.Client);
        await login.LoginAsync("romeo", "romeo", "orchard");
        login.Pause();
        var session = bench.Host.Find("romeo@localhost/orchard");
        var message = new Message(MessageType.Chat, session.Account, session.Jid, "m",
            new Element(Namespaces.Client, "body", new string('x', 10_000)));
        var outcome = DeliverOutcome.Written;
        for (int i = 0; i < 200 && outcome == DeliverOutcome.Written; i++)
            outcome = session.Deliver(message);
        Assert.Equal(DeliverOutcome.Overflow, outcome);
        await Patience.Eventually(() => bench.Host.Ended.Count == 1);
        Assert.Equal(DeliverOutcome.Gone, session.Deliver(message));
        bench.Clock.Advance(bench.Settings.CloseTimeout + TimeSpan.FromSeconds(2));
        await life.WaitAsync(TestClient.Patience);
    }

    [Fact]
    public async Task TheReaderWaitsForWhoeverTakesTheStanza()
    {
        await using var bench = new NetBench();
        var gate = new TaskCompletionSource();
        bench.Host.OnReceive = _ => gate.Task;
        var romeo = await bench.LoginAsync();
        await romeo.SendAsync("<message to='a@b' id='1'/><message to='a@b' id='2'/>");
        await Task.Delay(50);
        Assert.Empty(bench.Host.Received);
        gate.SetResult();
        await romeo.ExpectAsync("<message from='romeo@localhost' to='romeo@localhost/orchard' id='1'/>");
        await romeo.ExpectAsync("<message from='romeo@localhost' to='romeo@localhost/orchard' id='2'/>");
    }

    [Fact]
    public async Task ABugEndsOneConnectionOnly()
    {
        await using var bench = new NetBench { ErrorsExpected = true };
        bench.Host.OnReceive = stanza =>
            stanza is Message { Body: "boom" } ? throw new InvalidOperationException("a bug") : Task.CompletedTask;
        var romeo = await bench.LoginAsync();
        var juliet = await bench.LoginAsync("juliet", "balcony");
        await romeo.SendAsync("<message><body>boom</body></message>");
        await romeo.ExpectStreamErrorAsync("internal-server-error");
        await juliet.ExpectNothingAsync();
        await Patience.Eventually(() => bench.Host.Ended.Count == 1);
        Assert.Single(bench.Logs.Errors);
    }

    [Fact]
    [Spec("RFC 6120", "4.9.3.21")]
    public async Task AServerThatStopsSaysSo()
    {
        var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        var client = bench.Connect();
        await client.OpenAsync();
        var stop = bench.Timers.StopAsync(TimeSpan.FromSeconds(5));
        await romeo.ExpectStreamErrorAsync("system-shutdown");
        await client.ExpectStreamErrorAsync("system-shutdown");
        await romeo.SendAsync("</stream:stream>");
        await client.SendAsync("</stream:stream>");
        await stop.WaitAsync(TestClient.Patience);
        Assert.Single(bench.Host.Ended);
        await Assert.ThrowsAsync<EndOfStreamException>(bench.Connect().NextAsync);
        await bench.DisposeAsync();
    }

    [Fact]
    public async Task TooManyConnectionsAreRefused()
    {
        await using var bench = new NetBench(settings => settings with { ConnectionsPerAddressMax = 2 });
        var first = bench.Connect(out _, out var life);
        var second = bench.Connect();
        await first.OpenAsync();
        await second.OpenAsync();
        await Assert.ThrowsAsync<EndOfStreamException>(bench.Connect().NextAsync);
        await first.CloseAsync();
        await life.WaitAsync(TestClient.Patience);
        await bench.Connect().OpenAsync();
    }

    [Theory]
    [InlineData(1), InlineData(7), InlineData(64)]
    public async Task BytesMayComeInAnyPieces(int size)
    {
        await using var bench = new NetBench();
        var client = bench.Connect();
        byte[] bytes = Encoding.UTF8.GetBytes(Header + NetBench.Auth("romeo", "romeo"));
        foreach (byte[] piece in bytes.Chunk(size)) await client.SendAsync(piece);
        Assert.Equal(XmlItemKind.StreamOpen, (await client.NextAsync()).Kind);
        await client.ReceiveAsync();
        Assert.Equal("success", (await client.ReceiveAsync()).Name);
        bytes = Encoding.UTF8.GetBytes(Header + Bind + "<message to='a@b' id='m'><body>grüße</body></message>");
        foreach (byte[] piece in bytes.Chunk(size)) await client.SendAsync(piece);
        Assert.Equal(XmlItemKind.StreamOpen, (await client.NextAsync()).Kind);
        await client.ReceiveAsync();
        await client.ExpectAsync("<iq type='result' id='b'>...</iq>");
        await client.ExpectAsync("<message from='romeo@localhost' to='*' id='m'><body>grüße</body></message>");
    }

    [Fact]
    public async Task NothingOfASessionComesBeforeTheAnswerToBind()
    {
        // Others find the session as soon as it is bound, before its client has heard of it.
        await using var bench = new NetBench();
        bench.Host.OnBound = session => Assert.Equal(DeliverOutcome.Gone,
            session.Deliver(new Message(MessageType.Chat, session.Account, session.Jid, "early")));
        var romeo = await bench.LoginAsync();
        await romeo.ExpectNothingAsync();
    }
}
