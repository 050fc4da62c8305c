using System.Buffers;
using System.Text;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>Drives the negotiation of a stream between servers with XML text and tells its effects as lines of text.
/// This server serves verona.test and rooms.verona.test; stream ids are counted.</summary>
sealed class PeerBench
{
    public const string Secret = "s3cr3tf0rd14lb4ck";
    const string Prefix = "urn:ietf:params:xml:ns:xmpp-"; // written as ~ here

    readonly StanzaReader _reader = new(new XmlLimits());
    int _count;

    PeerBench(PeerNegotiation negotiation) => Negotiation = negotiation;

    public PeerNegotiation Negotiation { get; }

    public static PeerPair Pair => new(Jid.Parse("verona.test"), Jid.Parse("mantua.test"));

    public static PeerPolicy Policy(PeerTls tls = PeerTls.Required) => new()
    {
        IsLocal = jid => jid.ToString() is "verona.test" or "rooms.verona.test",
        DefaultHost = Jid.Parse("verona.test"),
        Allows = jid => jid.ToString() != "tybalt.test",
        TlsFor = jid => jid.ToString() == "strict.test" ? PeerTls.RequiredTrusted : tls,
        DialbackSecret = Encoding.ASCII.GetBytes(Secret),
    };

    public static PeerCertificate Certificate(string domain = "mantua.test", string? problem = null) =>
        new(TestAuthority.Names(domain), problem);

    public static PeerBench Inbound(PeerPolicy? policy = null) => new(new InboundNegotiation(policy ?? Policy()));

    public static PeerBench Outbound(PeerPolicy? policy = null, bool triesExternal = true, bool direct = false) =>
        new(new OutboundNegotiation(policy ?? Policy(), Pair, direct, triesExternal));

    /// <summary>A stream that came in, inside TLS, its header read.</summary>
    public static PeerBench Secured(PeerCertificate? certificate = null, PeerPolicy? policy = null)
    {
        var bench = Inbound(policy);
        bench.Send(Header());
        bench.Send("<starttls xmlns='~tls'/>");
        bench.Handle(new PeerInput.TlsStarted(certificate ?? PeerCertificate.None));
        bench.Send(Header());
        return bench;
    }

    public static string Header(string from = "mantua.test", string to = "verona.test", string more = "version='1.0'",
        string ns = "jabber:server") =>
        $"<stream:stream from='{from}' to='{to}' {more} xmlns='{ns}' xmlns:db='jabber:server:dialback' " +
        "xmlns:stream='http://etherx.jabber.org/streams'>";

    public static string Key(string from, string to, string id) =>
        Dialback.Key(Encoding.ASCII.GetBytes(Secret), Jid.Parse(to), Jid.Parse(from), id);

    /// <summary>Sends text; the effects, one a line.</summary>
    public string Send(string xml)
    {
        var input = new ReadOnlySequence<byte>(
            Encoding.UTF8.GetBytes(xml.Replace("'~", $"'{Prefix}", StringComparison.Ordinal)));
        var lines = new List<string>();
        while (_reader.TryRead(input, out var consumed, out var item))
        {
            if (item.Kind != XmlItemKind.Error) input = input.Slice(consumed);
            lines.AddRange(Perform(new PeerInput.Item(item, $"stream-{++_count}")));
        }
        return string.Join('\n', lines);
    }

    public string Handle(PeerInput input) => string.Join('\n', Perform(input));

    List<string> Perform(PeerInput input)
    {
        var effects = new List<PeerEffect>();
        Negotiation.Handle(input, effects);
        if (input is PeerInput.TlsStarted || effects.Exists(e => e is PeerEffect.RestartReader)) _reader.Reset();
        return effects.ConvertAll(effect =>
            Show(effect).Replace(Prefix, "~", StringComparison.Ordinal));
    }

    static string Show(PeerEffect effect) => effect switch
    {
        PeerEffect.Open open => $"open from={open.Header.From} to={open.Header.To} id={open.Header.Id}",
        PeerEffect.Send send => $"send {Written(send.Element)}",
        PeerEffect.StartTls { Proceed: { } proceed } => $"send {Written(proceed)} and start TLS",
        PeerEffect.StartTls => "start TLS",
        PeerEffect.RestartReader => "restart",
        PeerEffect.VerifyKey verify => $"verify {verify.Pair.Remote} for {verify.Pair.Local}: {verify.StreamId}",
        PeerEffect.KeyVerified key => $"key of {key.Pair.Remote} for {key.Pair.Local} on {key.StreamId}: {key.Outcome}",
        PeerEffect.Accepted accepted =>
            $"accepted {accepted.Pair.Remote} to {accepted.Pair.Local} by {accepted.Method}",
        PeerEffect.Authorized authorized => $"authorized {authorized.Pair.Local} to {authorized.Pair.Remote}",
        PeerEffect.Refused refused =>
            $"refused {refused.Pair.Local} to {refused.Pair.Remote}: {refused.Error.Condition}",
        PeerEffect.Trouble trouble => $"trouble {trouble.Remote}: {trouble.Problem}",
        PeerEffect.Close { Error: { } error } => $"close {error.Condition}: {error.Text}",
        _ => "close",
    };

    static string Written(Element element)
    {
        var output = new ArrayBufferWriter<byte>();
        StanzaWriter.Write(output, element, Namespaces.Client);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
