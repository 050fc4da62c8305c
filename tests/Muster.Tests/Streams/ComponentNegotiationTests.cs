using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>The stream of a component, decided without a server. Stream ids are counted.</summary>
[Spec("XEP-0114", "3")]
public sealed class ComponentNegotiationTests
{
    const string Secret = "s3cret";

    readonly StanzaReader _reader = new(new XmlLimits());
    ComponentNegotiation _negotiation = new(Policy());
    int _count;

    static ComponentPolicy Policy(string secret = Secret, bool checksFrom = true) => new()
    {
        Secret = secret,
        ProblemOf = domain => domain.ToString() switch
        {
            "verona.test" => StreamError.Conflict.WithText("served here"),
            "tybalt.test" => StreamError.HostUnknown.WithText("not one of ours"),
            _ => null,
        },
        DefaultHost = Jid.Parse("verona.test"),
        ChecksFrom = checksFrom,
    };

    static string Header(string to = "to='plays.verona.test'", string ns = "jabber:component:accept") =>
        $"<stream:stream {to} xmlns='{ns}' xmlns:stream='http://etherx.jabber.org/streams'>";

#pragma warning disable CA5350
    static string Proof(string secret, string id = "stream-1") =>
        Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(id + secret)));
#pragma warning restore CA5350

    string Send(string xml)
    {
        var input = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(xml));
        var lines = new List<string>();
        while (_reader.TryRead(input, out var consumed, out var item))
        {
            if (item.Kind != XmlItemKind.Error) input = input.Slice(consumed);
            var effects = new List<ComponentEffect>();
            _negotiation.Handle(item, $"stream-{++_count}", effects);
            lines.AddRange(effects.ConvertAll(Show));
            if (item.Kind == XmlItemKind.Error) break;
        }
        return string.Join('\n', lines);
    }

    static string Show(ComponentEffect effect) => effect switch
    {
        ComponentEffect.Open { Header: var h } =>
            $"open from={h.From} to={h.To} id={h.Id} version={h.Version} ns={h.ContentNamespace}",
        ComponentEffect.Connected connected => $"connected {connected.Domain}, {connected.Answer}",
        ComponentEffect.Receive receive => $"receive {receive.Stanza}",
        ComponentEffect.Close { Error: { } error } => $"close {error.Condition}: {error.Text}",
        _ => "close",
    };

    void Connect()
    {
        Send(Header());
        Assert.StartsWith("connected", Send($"<handshake>{Proof(Secret)}</handshake>"), StringComparison.Ordinal);
    }

    [Fact]
    public void AComponentThatKnowsTheSecretIsConnected()
    {
        Assert.Equal("open from=plays.verona.test to= id=stream-1 version= ns=jabber:component:accept",
            Send(Header()));
        Assert.Equal("connected plays.verona.test, <handshake/>",
            Send($"<handshake>{Proof(Secret)}</handshake>"));
        Assert.True(_negotiation.IsConnected);
        Assert.Equal("receive <message from='romeo@plays.verona.test/x' to='juliet@verona.test'/>",
            Send("<message from='romeo@plays.verona.test/x' to='juliet@verona.test'/>"));
        Assert.Equal("close", Send("</stream:stream>"));
    }

    [Theory]
    [InlineData("a&b<c>'\"", "a&b<c>'\"")]
    [InlineData("a&b<c>'\"", "a&amp;b&lt;c&gt;&apos;&quot;")]
    [InlineData("gehëim", "gehëim")]
    public void ASecretMayBeEscapedBeforeItIsHashedOrNot(string secret, string hashed)
    {
        _negotiation = new(Policy(secret));
        Send(Header());
        Assert.StartsWith("connected", Send($"<handshake> {Proof(hashed)}\n</handshake>"), StringComparison.Ordinal);
    }

    [Fact]
    public void AWrongSecretEndsTheStream()
    {
        foreach (string proof in (string[])["", "00", Proof("other"), Proof(Secret, "stream-2"),
            Proof(Secret).ToUpperInvariant(), Proof(Secret) + "0", new string('ä', 40)])
        {
            (_negotiation, _count) = (new(Policy()), 0);
            _reader.Reset();
            Send(Header());
            Assert.Equal("close not-authorized: the secret of this listener is another one",
                Send($"<handshake>{proof}</handshake>"));
            Assert.False(_negotiation.IsConnected);
            Assert.Equal("", Send($"<handshake>{Proof(Secret)}</handshake>"));
        }
    }

    [Theory]
    [InlineData("<message from='a@plays.verona.test' to='b@verona.test'/>")]
    [InlineData("<handshake xmlns='urn:other'/>")]
    [InlineData("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>")]
    public void NothingIsTakenBeforeTheHandshake(string xml)
    {
        Send(Header());
        Assert.Equal("close not-authorized: a <handshake/> comes first", Send(xml));
    }

    [Theory]
    [InlineData("to='verona.test'", "conflict: served here")]
    [InlineData("to='tybalt.test'", "host-unknown: not one of ours")]
    [InlineData("", "host-unknown: 'to' must be the component's domain")]
    [InlineData("to='a@plays.verona.test'", "host-unknown: 'to' must be the component's domain")]
    [InlineData("to='plays.verona.test/x'", "host-unknown: 'to' must be the component's domain")]
    [InlineData("to='pl ays'", "host-unknown: 'to' must be the component's domain")]
    public void ADomainThatCannotBeServedIsToldInsideAStream(string to, string error) =>
        Assert.Equal(
            "open from=verona.test to= id=stream-1 version= ns=jabber:component:accept\nclose " + error,
            Send(Header(to)));

    [Theory]
    [InlineData("jabber:client")]
    [InlineData("jabber:server")]
    [InlineData("jabber:component:connect")]
    public void AnotherNamespaceIsRefused(string ns) =>
        Assert.EndsWith("\nclose invalid-namespace: the content namespace here is jabber:component:accept",
            Send(Header(ns: ns)), StringComparison.Ordinal);

    [Theory]
    [InlineData("<message to='a@verona.test'/>", "improper-addressing")]
    [InlineData("<message from='a@plays.verona.test'/>", "improper-addressing")]
    [InlineData("<message from='a@@plays.verona.test' to='a@verona.test'/>", "improper-addressing")]
    [InlineData("<message from='plays.verona.test' to=''/>", "improper-addressing")]
    [InlineData("<message from='a@verona.test' to='b@verona.test'/>", "invalid-from")]
    [InlineData("<message from='xplays.verona.test' to='b@verona.test'/>", "invalid-from")]
    [InlineData("<presence from='sub.plays.verona.test' to='b@verona.test'/>", "invalid-from")]
    [InlineData("<handshake/>", "unsupported-stanza-type")]
    [InlineData("<message xmlns='urn:x' from='plays.verona.test' to='verona.test'/>", "unsupported-stanza-type")]
    [InlineData("<log from='plays.verona.test' to='verona.test'/>", "unsupported-stanza-type")]
    [InlineData("<a><b></a>", "not-well-formed")]
    [InlineData("<!-- x -->", "restricted-xml")]
    public void AStanzaThatAComponentMayNotSendEndsTheStream(string xml, string condition)
    {
        Connect();
        Assert.StartsWith($"close {condition}", Send(xml), StringComparison.Ordinal);
        Assert.True(_negotiation.IsClosed);
    }

    [Fact]
    public void ATrustedComponentMaySendFromElsewhereWhereTheListenerLetsIt()
    {
        _negotiation = new(Policy(checksFrom: false));
        Connect();
        Assert.StartsWith("receive", Send("<message from='a@verona.test' to='b@verona.test'/>"),
            StringComparison.Ordinal);
    }
}
