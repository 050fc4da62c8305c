namespace Muster.Protocol.Sasl;

/// <summary>A mechanism that the server knows, and what it needs of the connection.</summary>
public sealed class SaslMechanism
{
    /// <summary>SCRAM-SHA-256 with channel binding (RFC 7677).</summary>
    public static readonly SaslMechanism ScramSha256Plus = new("SCRAM-SHA-256-PLUS", ScramHash.Sha256, binds: true);
    /// <summary>SCRAM-SHA-256 (RFC 7677).</summary>
    public static readonly SaslMechanism ScramSha256 = new("SCRAM-SHA-256", ScramHash.Sha256);
    /// <summary>SCRAM-SHA-1 with channel binding (RFC 5802).</summary>
    public static readonly SaslMechanism ScramSha1Plus = new("SCRAM-SHA-1-PLUS", ScramHash.Sha1, binds: true);
    /// <summary>SCRAM-SHA-1 (RFC 5802).</summary>
    public static readonly SaslMechanism ScramSha1 = new("SCRAM-SHA-1", ScramHash.Sha1);
    /// <summary>PLAIN (RFC 4616).</summary>
    public static readonly SaslMechanism Plain = new("PLAIN", null);
    /// <summary>EXTERNAL (RFC 4422 appendix A).</summary>
    public static readonly SaslMechanism External = new("EXTERNAL", null);

    /// <summary>All of them, the strongest first.</summary>
    public static IReadOnlyList<SaslMechanism> All { get; } =
        [External, ScramSha256Plus, ScramSha256, ScramSha1Plus, ScramSha1, Plain];

    SaslMechanism(string name, ScramHash? hash, bool binds = false)
    {
        Name = name;
        Hash = hash;
        Binds = binds;
    }

    /// <summary>Registered name (RFC 4422 §3.1).</summary>
    public string Name { get; }
    /// <summary>The hash of a SCRAM mechanism, else null.</summary>
    public ScramHash? Hash { get; }
    /// <summary>True when it needs channel binding.</summary>
    public bool Binds { get; }

    /// <summary>The mechanism of a name, written exactly as registered; null when it is not known.</summary>
    public static SaslMechanism? Find(string name)
    {
        foreach (var mechanism in All)
            if (string.Equals(mechanism.Name, name, StringComparison.Ordinal)) return mechanism;
        return null;
    }

    /// <summary>Whether it can and may be used on a connection.</summary>
    internal bool IsPossible(SaslConnection connection)
    {
        // RFC 6120 §13.8.3, RFC 4616 §4: a password in the clear only inside TLS, or where the listener says so.
        if (this == Plain) return connection.Encrypted || connection.PlaintextAllowed;
        // RFC 6120 §6.3.4: EXTERNAL only for those who showed a certificate that names somebody here.
        if (this == External) return connection.Encrypted && connection.CertificateAddresses.Count > 0;
        return !Binds || (connection.Encrypted && connection.ChannelBinding is not null);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
