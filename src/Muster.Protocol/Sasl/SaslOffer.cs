using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Sasl;

/// <summary>The facts of a connection on which the choice of mechanisms rests.</summary>
public sealed record SaslConnection
{
    /// <summary>True inside TLS.</summary>
    public bool Encrypted { get; init; }
    /// <summary>True on a listener that is configured to take passwords without TLS (loopback, tests).</summary>
    public bool PlaintextAllowed { get; init; }
    /// <summary>Data of <see cref="Sasl.ChannelBinding.TlsServerEndPoint"/>, or null when there is none.</summary>
    public byte[]? ChannelBinding { get; init; }
    /// <summary>Data of tls-unique for clients that know no other type, or null when there are none.</summary>
    public byte[]? TlsUnique { get; init; }
    /// <summary>Bare JIDs of this domain for which the client's certificate is valid (XEP-0178 §2); empty without
    /// one.</summary>
    public IReadOnlyList<Jid> CertificateAddresses { get; init; } = [];
}

/// <summary>What an exchange needs beside the connection: randomness of its own, and the server's constants.</summary>
/// <param name="ServerNonce">Fresh random text for this exchange, at least 18 printable ASCII characters without
/// comma.</param>
/// <param name="Pepper">Random bytes that this server made once and keeps to itself: see
/// <see cref="ScramSecret.Fake"/>.</param>
/// <param name="Iterations">Iterations that users who do not exist seem to have: those of new secrets.</param>
/// <param name="Proved">Passwords that PLAIN has proved before; null: none is remembered.</param>
public sealed record SaslInputs(
    string ServerNonce, ReadOnlyMemory<byte> Pepper, int Iterations = ScramSecret.IterationsDefault,
    ProvedPasswords? Proved = null);

/// <summary>Which mechanisms one connection is offered, and the start of an exchange with one of them. Knows nothing of
/// the XML profile, so RFC 6120 and XEP-0388 share it.</summary>
public sealed class SaslOffer
{
    readonly SaslConnection _connection;
    readonly IReadOnlyList<SaslMechanism> _configured;

    /// <summary>Decides what is offered.</summary>
    /// <param name="domain">The domain that the client wants to log in to.</param>
    /// <param name="configured">What the configuration allows, in the order in which to offer it (RFC 6120
    /// §6.4.1).</param>
    /// <param name="connection">What the connection can do.</param>
    public SaslOffer(Jid domain, IReadOnlyList<SaslMechanism> configured, SaslConnection connection)
    {
        Domain = domain;
        _configured = configured;
        _connection = connection;
        Mechanisms = [.. configured.Where(mechanism => mechanism.IsPossible(connection))];
    }

    /// <summary>The domain of the accounts.</summary>
    public Jid Domain { get; }

    /// <summary>The mechanisms on offer, in order.</summary>
    public IReadOnlyList<SaslMechanism> Mechanisms { get; }

    /// <summary>True when a mechanism with channel binding is on offer: then a client that says it was not is
    /// refused.</summary>
    public bool HasBinding => Mechanisms.Any(mechanism => mechanism.Binds);

    /// <summary>The data of a type of channel binding; null when it is not supported here.</summary>
    internal byte[]? BindingData(string type) => type switch
    {
        ChannelBinding.Type => _connection.ChannelBinding,
        ChannelBinding.UniqueType => _connection.TlsUnique,
        _ => null,
    };

    internal IReadOnlyList<Jid> CertificateAddresses => _connection.CertificateAddresses;

    /// <summary>Begins an exchange with the mechanism that the client chose.</summary>
    /// <returns>Null when <paramref name="failure"/> is set: encryption-required for what only TLS is missing for
    /// (RFC 6120 §6.5.4), else invalid-mechanism.</returns>
    public SaslExchange? Begin(string mechanism, SaslInputs inputs, out SaslFailure? failure)
    {
        failure = null;
        var chosen = SaslMechanism.Find(mechanism);
        if (chosen is null || !Mechanisms.Contains(chosen))
        {
            bool lacksTls = chosen == SaslMechanism.Plain && _configured.Contains(chosen);
            failure = lacksTls ? SaslFailure.EncryptionRequired : SaslFailure.InvalidMechanism;
            return null;
        }
        if (chosen.Hash is { } hash) return new ScramServer(chosen, hash, this, inputs);
        return chosen == SaslMechanism.Plain
            ? new PlainServer(chosen, this, inputs)
            : new ExternalServer(chosen, this);
    }

    /// <summary>The <c>mechanisms</c> feature (RFC 6120 §6.4.1).</summary>
    public Element ToElement() => new(Namespaces.Sasl, "mechanisms",
        Mechanisms.Select(mechanism => new Element(Namespaces.Sasl, "mechanism", mechanism.Name)));
}
