using System.Buffers;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>The start of a stream (RFC 6120 §4.7, §4.8) and the features that answer it (§4.3.2).</content>
public sealed partial class ClientNegotiation
{
    const int LangLengthMax = 35; // RFC 5646 §4.4.1

    static readonly SearchValues<char> LangCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    void ReceiveHeader(NegotiationInput.Item item, List<NegotiationEffect> effects)
    {
        if (_state != State.Header)
        {
            // Only in a framing that marks the start otherwise than by XML (RFC 7395 §3.7).
            Close(StreamError.BadFormat.WithText("the stream is open already"), effects);
            return;
        }
        var header = item.Value.Element!;
        _ = Jid.TryParse(header.Attribute("from"), out var from);
        var error = CheckHeader(header, item.Value.ContentNamespace, from);
        // RFC 6120 §4.9.1.3: an error in the header is told inside a stream, so ours is opened first.
        effects.Add(new NegotiationEffect.Open(new StreamHeader
        {
            From = Host,
            // RFC 6120 §4.7.2: our 'to' is their 'from', when they gave one.
            To = from,
            Id = item.StreamId,
            Lang = _policy.Language,
        }));
        if (error is not null)
        {
            Close(error, effects);
            return;
        }
        _state = State.Element;
        Send(FeaturesElement(), effects);
    }

    StreamError? CheckHeader(Element header, string? contentNamespace, Jid from)
    {
        // RFC 6120 §4.9.3.10: another stream namespace, or content that is not a client's.
        if (!header.Is(Namespaces.Streams, "stream"))
            return StreamError.InvalidNamespace.WithText("a stream begins with <stream:stream/>");
        if (contentNamespace != Namespaces.Client)
            return StreamError.InvalidNamespace.WithText("the content namespace of clients is jabber:client");
        // RFC 6120 §4.7.5: no version means 0.9, which knew no features; a higher one is answered with ours.
        if (!StreamVersion.IsOneOrMore(header.Attribute("version")))
            return StreamError.UnsupportedVersion.WithText("version 1.0 is spoken here");
        // RFC 6120 §4.9.3.6.
        if (!Jid.TryParse(header.Attribute("to"), out var to) || !_policy.Hosts.Contains(to))
            return StreamError.HostUnknown.WithText("this server does not serve that domain");
        // RFC 6120 §6.3.7: who was authenticated at one domain stays there.
        if (!_account.IsNone && !to.Domain.SequenceEqual(_account.Domain))
            return StreamError.NotAuthorized.WithText("the login was for another domain");
        _host = to;
        _from = from.Bare;
        // RFC 6120 §4.7.4: remembered, where it looks like a tag (RFC 5646 §2.1); what does not is no reason to fail.
        string? lang = header.Attribute(Namespaces.Xml, "lang");
        bool isTag = lang is { Length: > 0 and <= LangLengthMax } && !lang.AsSpan().ContainsAnyExcept(LangCharacters);
        Lang = isTag ? lang : null;
        // RFC 6120 §4.9.3.9: a from that is no address, or after login not the client's own. XEP-0388 §feature: nor one
        // of another domain.
        bool hasFrom = header.Attribute("from") is not null;
        bool isForeign = from.IsNone || !from.Domain.SequenceEqual(to.Domain)
            || (!_account.IsNone && from.Bare != _account);
        return hasFrom && isForeign ? StreamError.InvalidFrom.WithText("that is not this client's address") : null;
    }

    Element FeaturesElement()
    {
        // RFC 6120 §5.3.1: while TLS is owed nothing but it is offered; the rows see to that by what they require.
        bool owesTls = _policy.Tls == TlsPolicy.Required && (Progress & StreamProgress.Secure) == 0;
        var own = _features.Where(feature => feature.IsOpen(Progress)).SelectMany(feature => feature.Offer(this));
        var all = owesTls ? own : own.Concat(_policy.ServerFeatures(Progress, Host));
        return new Element(Namespaces.Streams, "features", all);
    }
}
