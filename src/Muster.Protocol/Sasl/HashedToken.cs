using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Muster.Protocol.Sasl;

/// <summary>The mechanisms that log in with a token that the server gave out before
/// (draft-schmaus-kitten-sasl-ht-09), in one round trip. They are not among <see cref="SaslMechanism.All"/>: XEP-0484
/// §support has them stand apart, as no password works with them.</summary>
public sealed class HashedToken
{
    const int ProofBytes = SHA256.HashSizeInBytes;
    static ReadOnlySpan<byte> InitiatorLabel => "Initiator"u8;
    static ReadOnlySpan<byte> ResponderLabel => "Responder"u8;

    /// <summary>Bound to the server's certificate (tls-server-end-point).</summary>
    public static readonly HashedToken Sha256EndPoint = new("HT-SHA-256-ENDP", binds: true);
    /// <summary>Without channel binding, for clients that cannot do it, such as those in a browser.</summary>
    public static readonly HashedToken Sha256 = new("HT-SHA-256-NONE", binds: false);

    /// <summary>All of them, the strongest first. Those that bind to tls-unique or tls-exporter are missing, as the
    /// platform does not export the latter and TLS 1.3 has not the former.</summary>
    public static IReadOnlyList<HashedToken> All { get; } = [Sha256EndPoint, Sha256];

    HashedToken(string name, bool binds)
    {
        Name = name;
        Binds = binds;
    }

    /// <summary>Registered name.</summary>
    public string Name { get; }

    /// <summary>True when it needs channel binding.</summary>
    public bool Binds { get; }

    /// <summary>The mechanism of a name, written exactly as registered; null when it is none of these.</summary>
    public static HashedToken? Find(string? name)
    {
        foreach (var mechanism in All)
            if (string.Equals(mechanism.Name, name, StringComparison.Ordinal)) return mechanism;
        return null;
    }

    /// <summary>Reads the client's one message (§3.1), which is <c>authcid NUL HMAC(token, "Initiator" ||
    /// cb-data)</c>.</summary>
    /// <param name="message">The message.</param>
    /// <param name="username">Who logs in.</param>
    /// <param name="proof">That it has the token.</param>
    /// <returns>False when it is malformed.</returns>
    public static bool TryParse(
        ReadOnlySpan<byte> message, [NotNullWhen(true)] out string? username, [NotNullWhen(true)] out byte[]? proof)
    {
        (username, proof) = (null, null);
        int end = message.IndexOf((byte)0);
        if (end is <= 0 or > Plain.PartBytesMax || message.Length - end - 1 != ProofBytes) return false;
        if (!Utf8.IsValid(message[..end])) return false;
        username = Encoding.UTF8.GetString(message[..end]);
        proof = message[(end + 1)..].ToArray();
        return true;
    }

    /// <summary>Whether a proof was made with a token. Takes the same time whatever the proof is.</summary>
    /// <param name="token">The token's text.</param>
    /// <param name="proof">What the client sent.</param>
    /// <param name="binding">Data of the channel binding; not looked at by a mechanism without.</param>
    public bool Verify(string token, ReadOnlySpan<byte> proof, ReadOnlySpan<byte> binding) =>
        CryptographicOperations.FixedTimeEquals(Hash(token, InitiatorLabel, binding), proof);

    /// <summary>The client's proof (§3.1).</summary>
    public byte[] Prove(string token, ReadOnlySpan<byte> binding) => Hash(token, InitiatorLabel, binding);

    /// <summary>The server's answer (§3.3), by which the client sees that the server knows the token too.</summary>
    public byte[] Answer(string token, ReadOnlySpan<byte> binding) => Hash(token, ResponderLabel, binding);

    /// <inheritdoc/>
    public override string ToString() => Name;

    byte[] Hash(string token, ReadOnlySpan<byte> label, ReadOnlySpan<byte> binding)
    {
        byte[] text = [.. label, .. Binds ? binding : []];
        return HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), text);
    }
}
