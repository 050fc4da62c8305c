using System.Buffers;
using System.Text;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Sasl;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Streams;

/// <summary>Drives a negotiation with XML text and tells its effects as lines of text. Ids and nonces are counted; the
/// account romeo has the password romeo, tybalt's is disabled; every resource can be bound but "taken"; the
/// session "known" can be resumed, and of "ended" the count is known.</summary>
sealed class NegotiationBench
{
    public const string Streams = "xmlns:stream='http://etherx.jabber.org/streams'";
    public const string Header = $"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' {Streams}>";
    const string Prefix = "urn:ietf:params:xml:ns:xmpp-"; // written as ~ here

    static readonly Dictionary<ScramHash, ScramSecret> Secrets = new()
    {
        [ScramHash.Sha1] = Derive(ScramHash.Sha1),
        [ScramHash.Sha256] = Derive(ScramHash.Sha256),
    };

    /// <summary>The time, for tokens.</summary>
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    readonly ClientNegotiation _negotiation;
    readonly StanzaReader _reader = new(new XmlLimits());
    int _count;

    public NegotiationBench(Func<ClientPolicy, ClientPolicy>? change = null)
    {
        var policy = new ClientPolicy
        {
            Hosts = new HashSet<Jid> { Jid.Parse("localhost"), Jid.Parse("example.org") },
            DefaultHost = Jid.Parse("localhost"),
            Pepper = new byte[32],
            Iterations = ScramSecret.IterationsMin,
            EarlyRequests = new HashSet<string> { Namespaces.Register },
        };
        _negotiation = new ClientNegotiation(change is null ? policy : change(policy));
    }

    public ClientNegotiation Negotiation => _negotiation;

    /// <summary>The tokens that every client of romeo and tybalt has.</summary>
    public List<LoginToken> Tokens { get; } = [];

    /// <summary>What comes of using one.</summary>
    public bool? Use { get; set; } = true;

    /// <summary>False when no token can be given out.</summary>
    public bool Issues { get; set; } = true;

    public static ClientPolicy WithTokens(ClientPolicy policy) =>
        Plaintext(policy) with { OffersTokens = true, InlineFeatures = ["urn:xmpp:carbons:2"] };

    public static ClientPolicy Plaintext(ClientPolicy policy) =>
        policy with { Tls = TlsPolicy.NotOffered, PlaintextAllowed = true, Mechanisms = [SaslMechanism.Plain] };

    /// <summary>A negotiation that has come to bind.</summary>
    public static NegotiationBench Authenticated()
    {
        var bench = new NegotiationBench(Plaintext);
        bench.Send(Header);
        bench.Send(Auth("romeo"));
        bench.Send(Header);
        return bench;
    }

    public static NegotiationBench Bound()
    {
        var bench = Authenticated();
        bench.Send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
        return bench;
    }

    public static string Auth(string user, string? password = null) =>
        $"<auth xmlns='{Namespaces.Sasl}' mechanism='PLAIN'>" +
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password ?? user}")) + "</auth>";

    /// <summary>Sends text; the effects, one a line.</summary>
    public string Send(string xml)
    {
        var input = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(Long(xml)));
        var lines = new StringBuilder();
        while (_reader.TryRead(input, out var consumed, out var item))
        {
            if (item.Kind != XmlItemKind.Error) input = input.Slice(consumed);
            Handle(Item(item), lines);
        }
        return lines.ToString().TrimEnd('\n');
    }

    /// <summary>Writes the namespaces of the RFC in full.</summary>
    public static string Long(string xml) => xml.Replace("'~", $"'{Prefix}", StringComparison.Ordinal);

    /// <summary>Hands in an item; the effects, one a line.</summary>
    public string Handle(XmlItem item)
    {
        var lines = new StringBuilder();
        Handle(Item(item), lines);
        return lines.ToString().TrimEnd('\n');
    }

    public string Handle(NegotiationInput input)
    {
        var lines = new StringBuilder();
        Handle(input, lines);
        return lines.ToString().TrimEnd('\n');
    }

    NegotiationInput.Item Item(XmlItem item)
    {
        _count++;
        return new NegotiationInput.Item(item, $"stream-{_count}", $"nonce-{_count}-0123456789abcdef");
    }

    void Handle(NegotiationInput input, StringBuilder lines)
    {
        for (NegotiationInput? next = input; next is not null;)
        {
            var effects = new List<NegotiationEffect>();
            _negotiation.Handle(next, effects);
            next = null;
            foreach (var effect in effects)
            {
                lines.Append(Fold(Show(effect))).Append('\n');
                next = Answer(effect) ?? next;
            }
        }
    }

    NegotiationInput? Answer(NegotiationEffect effect)
    {
        switch (effect)
        {
            case NegotiationEffect.RestartReader:
                _reader.Reset();
                return null;
            case NegotiationEffect.StartTls:
                _reader.Reset();
                return new NegotiationInput.TlsStarted([1, 2, 3], []);
            case NegotiationEffect.FindAccount find:
                return new NegotiationInput.AccountFound(Find(find));
            case NegotiationEffect.FindTokens find:
                bool isKnown = find.Account.Local is "romeo" or "tybalt";
                var facts = new AccountFacts(isKnown, find.Account.Local is "tybalt")
                {
                    Unavailable = find.Account.Local is "away",
                };
                return new NegotiationInput.TokensFound(facts, isKnown ? Tokens : [], Now);
            case NegotiationEffect.UseToken:
                return new NegotiationInput.TokenUsed(Use);
            case NegotiationEffect.IssueToken issue:
                return new NegotiationInput.TokenIssued(
                    Issues ? new LoginToken("issued", issue.Mechanism, Now, Now.AddDays(21)) : null);
            case NegotiationEffect.Bind { Resource: "taken" }:
            case NegotiationEffect.Bind { Resource: ['t', 'a', 'k', 'e', 'n', '/', ..] }:
                return new NegotiationInput.BindRefused(StanzaError.ResourceConstraint);
            case NegotiationEffect.Bind bind:
                return new NegotiationInput.Bound(Jid.Parse($"{bind.Account}/{bind.Resource ?? "made"}"))
                {
                    Results = [.. (bind.Requests ?? []).Select(request => new Element(request.Namespace, "done"))],
                };
            case NegotiationEffect.Resume resume:
                return Resume(resume);
            case NegotiationEffect.Ask ask:
                return new NegotiationInput.Answered(ask.Request.Result());
            default:
                return null;
        }
    }

    static NegotiationInput.ResumeAnswered Resume(NegotiationEffect.Resume resume)
    {
        string ns = resume.Request.Namespace;
        return resume.Request.Attribute("previd") switch
        {
            "known" => new(Jid.Parse($"{resume.Account}/before"), SmElements.Resumed(ns, "known", 5)),
            "ended" => new(Jid.None, SmElements.Failed(ns, StanzaError.ItemNotFound, 7)),
            _ => new(Jid.None, SmElements.Failed(ns, StanzaError.ItemNotFound)),
        };
    }

    static AccountFacts Find(NegotiationEffect.FindAccount find)
    {
        var secret = Secrets[find.Hash ?? ScramHash.Sha256];
        return find.Account.Local switch
        {
            "romeo" => new AccountFacts(true, Secret: secret),
            "tybalt" => new AccountFacts(true, Disabled: true, secret),
            "away" => new AccountFacts(false) { Unavailable = true },
            _ => new AccountFacts(false),
        };
    }

    static string Show(NegotiationEffect effect) => effect switch
    {
        NegotiationEffect.Open open => $"open from={open.Header.From} to={open.Header.To} id={open.Header.Id}",
        NegotiationEffect.Send send => $"send {send.Element}",
        NegotiationEffect.StartTls start => $"send {start.Proceed} and start TLS",
        NegotiationEffect.FindAccount find => $"find {find.Account} {find.Hash}".TrimEnd(),
        NegotiationEffect.Authenticated login => $"authenticated {login.Account} by {login.Mechanism}",
        NegotiationEffect.AuthenticationFailed failed => $"failed {failed.Account}: {failed.Reason}",
        NegotiationEffect.RestartReader => "restart",
        NegotiationEffect.LiftLimits => "lift limits",
        NegotiationEffect.FindTokens find => $"find tokens of {find.Account} {find.Client}",
        NegotiationEffect.UseToken use =>
            $"use {use.Token.Text} count={use.Count} invalidates={use.Invalidates}",
        NegotiationEffect.IssueToken issue => $"issue {issue.Mechanism} to {issue.Account} {issue.Client}",
        NegotiationEffect.Bind { Requests: not null } bind =>
            $"bind {bind.Account} {bind.Resource} of {bind.Client} "
                + $"with ({string.Join(' ', bind.Requests.Select(request => request.Name))})",
        NegotiationEffect.Bind bind => $"bind {bind.Account} {bind.Resource}".TrimEnd(),
        NegotiationEffect.Resume resume => $"resume {resume.Account} {resume.Request.Attribute("previd")}",
        NegotiationEffect.Ask ask => $"ask {ask.Request}",
        NegotiationEffect.Close { Error: { } error } => $"close {error.Condition}: {error.Text}",
        _ => "close",
    };

    /// <summary>Shortens the namespaces of the RFC and breaks long lines between elements.</summary>
    static string Fold(string line)
    {
        line = line.Replace(Prefix, "~", StringComparison.Ordinal);
        var folded = new StringBuilder();
        int column = 0;
        foreach (string piece in line.Split("><"))
        {
            if (column > 0)
            {
                folded.Append('>');
                if (column + piece.Length > 90) folded.Append("\n   ");
                if (column + piece.Length > 90) column = 0;
                folded.Append('<');
            }
            folded.Append(piece);
            column += piece.Length + 2;
        }
        return folded.ToString();
    }

    static ScramSecret Derive(ScramHash hash) =>
        ScramSecret.Derive(hash, "romeo", new byte[ScramSecret.SaltBytes], ScramSecret.IterationsMin)!;
}
