using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>What happens to a stream while it is negotiated. All that is random or loaded arrives here.</summary>
public abstract record NegotiationInput
{
    NegotiationInput() { }

    /// <summary>The client sent something.</summary>
    /// <param name="Value">What the reader found.</param>
    /// <param name="StreamId">A fresh id for the stream, should this open one: unpredictable (RFC 6120 §4.7.3).</param>
    /// <param name="Nonce">Fresh random text for SCRAM, should this begin an exchange.</param>
    public sealed record Item(XmlItem Value, string StreamId, string Nonce) : NegotiationInput;

    /// <summary>The connection is inside TLS: answers <see cref="NegotiationEffect.StartTls"/>, or comes first where
    /// TLS does.</summary>
    /// <param name="ChannelBinding">Data of tls-server-end-point, or null.</param>
    /// <param name="CertificateAddresses">JIDs that a verified client certificate names (XEP-0178).</param>
    public sealed record TlsStarted(byte[]? ChannelBinding, IReadOnlyList<Jid> CertificateAddresses) : NegotiationInput
    {
        /// <summary>Data of tls-unique, or null.</summary>
        public byte[]? TlsUnique { get; init; }
    }

    /// <summary>Answers <see cref="NegotiationEffect.FindAccount"/>.</summary>
    public sealed record AccountFound(AccountFacts Facts) : NegotiationInput;

    /// <summary>Answers <see cref="NegotiationEffect.FindTokens"/>.</summary>
    /// <param name="Account">What is known of the account.</param>
    /// <param name="Tokens">The tokens of the client, expired ones included.</param>
    /// <param name="Now">The time.</param>
    public sealed record TokensFound(AccountFacts Account, IReadOnlyList<LoginToken> Tokens, DateTimeOffset Now)
        : NegotiationInput;

    /// <summary>Answers <see cref="NegotiationEffect.UseToken"/>: false when the token is good no longer, or the count
    /// is not higher than one that another connection told meanwhile; null when the store could not be
    /// asked.</summary>
    public sealed record TokenUsed(bool? Done) : NegotiationInput;

    /// <summary>Answers <see cref="NegotiationEffect.IssueToken"/>: null when there is none to be had now.</summary>
    public sealed record TokenIssued(LoginToken? Token) : NegotiationInput;

    /// <summary>Answers <see cref="NegotiationEffect.Bind"/>: the resource is bound.</summary>
    public sealed record Bound(Jid Jid) : NegotiationInput
    {
        /// <summary>What came of the requests in it, for the client.</summary>
        public IReadOnlyList<Element> Results { get; init; } = [];
    }

    /// <summary>Answers <see cref="NegotiationEffect.Bind"/>: it is not.</summary>
    public sealed record BindRefused(StanzaError Error) : NegotiationInput;

    /// <summary>Answers <see cref="NegotiationEffect.Resume"/>.</summary>
    /// <param name="Jid">The full JID of the session that goes on; none when there is none.</param>
    /// <param name="Answer">What to tell the client: <c>resumed</c> or <c>failed</c>.</param>
    public sealed record ResumeAnswered(Jid Jid, Element Answer) : NegotiationInput;

    /// <summary>Answers <see cref="NegotiationEffect.Ask"/>.</summary>
    public sealed record Answered(Iq Answer) : NegotiationInput;
}

/// <summary>What is known of an account that somebody wants to log in to.</summary>
/// <param name="Exists">Whether there is such an account.</param>
/// <param name="Disabled">Whether logging in is refused.</param>
/// <param name="Secret">The secret of the hash that was asked for, or null.</param>
public readonly record struct AccountFacts(bool Exists, bool Disabled = false, ScramSecret? Secret = null)
{
    /// <summary>The store could not be asked: the client may try again (RFC 6120 §6.5.11).</summary>
    public bool Unavailable { get; init; }
}
