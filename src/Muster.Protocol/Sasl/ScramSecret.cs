using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Protocol.Sasl;

/// <summary>
/// What is stored of a password: the keys of SCRAM (RFC 5802 §3). They verify a login, by SCRAM and by PLAIN, and
/// whoever
/// steals them can neither log in with SCRAM nor read the password, only guess at the cost of PBKDF2 per guess.
/// </summary>
public sealed class ScramSecret
{
    /// <summary>RFC 5802 §5.1: fewer iterations are not accepted.</summary>
    public const int IterationsMin = 4096;
    /// <summary>More iterations are not accepted: PLAIN logins compute them here.</summary>
    public const int IterationsMax = 1_000_000;
    /// <summary>Iterations of new secrets unless configured otherwise.</summary>
    public const int IterationsDefault = 10_000;
    /// <summary>Bytes of salt for new secrets.</summary>
    public const int SaltBytes = 16;
    const int SaltBytesMin = 8, SaltBytesMax = 128;

    readonly byte[] _salt, _storedKey, _serverKey;

    ScramSecret(ScramHash hash, byte[] salt, int iterations, byte[] storedKey, byte[] serverKey)
    {
        Hash = hash;
        _salt = salt;
        Iterations = iterations;
        _storedKey = storedKey;
        _serverKey = serverKey;
    }

    /// <summary>The hash function.</summary>
    public ScramHash Hash { get; }
    /// <summary>Iterations of PBKDF2.</summary>
    public int Iterations { get; }
    /// <summary>The salt.</summary>
    public ReadOnlySpan<byte> Salt => _salt;
    /// <summary>H(ClientKey): verifies the client.</summary>
    public ReadOnlySpan<byte> StoredKey => _storedKey;
    /// <summary>ServerKey: proves to the client that the server knows the secret.</summary>
    public ReadOnlySpan<byte> ServerKey => _serverKey;

    /// <summary>Makes a secret from its parts, for example from another server's data. Null when a size is out of
    /// bounds.</summary>
    public static ScramSecret? Create(
        ScramHash hash, ReadOnlySpan<byte> salt, int iterations,
        ReadOnlySpan<byte> storedKey, ReadOnlySpan<byte> serverKey)
    {
        bool valid = hash is ScramHash.Sha1 or ScramHash.Sha256 && IsUsable(salt, iterations) &&
            storedKey.Length == hash.Size() && serverKey.Length == hash.Size();
        return valid ? new(hash, salt.ToArray(), iterations, storedKey.ToArray(), serverKey.ToArray()) : null;
    }

    /// <summary>Derives the secret of a password. Some milliseconds of processor time.</summary>
    /// <param name="hash">The hash function.</param>
    /// <param name="password">The password, as the user typed it.</param>
    /// <param name="salt">Random bytes, <see cref="SaltBytes"/> of them.</param>
    /// <param name="iterations">Iterations of PBKDF2.</param>
    /// <returns>Null when the password is not acceptable: empty, too long, or with characters that
    /// RFC 8265 §4.2 does not allow.</returns>
    public static ScramSecret? Derive(
        ScramHash hash, string password, ReadOnlySpan<byte> salt, int iterations = IterationsDefault)
    {
        if (!IsUsable(salt, iterations)) throw new ArgumentException("Salt or iterations out of bounds", nameof(salt));
        if (!TryPrepare(password, out byte[]? prepared)) return null;
        byte[] salted = hash.Hi(prepared, salt, iterations);
        byte[] storedKey = hash.Digest(hash.Hmac(salted, "Client Key"u8));
        return new(hash, salt.ToArray(), iterations, storedKey, hash.Hmac(salted, "Server Key"u8));
    }

    /// <summary>A secret for a user that does not exist, which no password matches. It is the same each time, so that a
    /// stranger who asks twice cannot tell it from a real one (RFC 5802 §9 leaves that to the server).</summary>
    /// <param name="hash">The hash function.</param>
    /// <param name="user">Who was asked for.</param>
    /// <param name="pepper">Random bytes that only this server knows and keeps.</param>
    /// <param name="iterations">As for real users.</param>
    public static ScramSecret Fake(ScramHash hash, Jid user, ReadOnlySpan<byte> pepper, int iterations)
    {
        byte[] seed = HMACSHA256.HashData(pepper, Encoding.UTF8.GetBytes($"{hash.MechanismName()} {user}"));
        byte[] salt = HMACSHA256.HashData(seed, "salt"u8)[..SaltBytes];
        // Keys that come from no password: to match one, a client would have to invert the hash.
        byte[] storedKey = HMACSHA256.HashData(seed, "stored key"u8)[..hash.Size()];
        byte[] serverKey = HMACSHA256.HashData(seed, "server key"u8)[..hash.Size()];
        return new(hash, salt, iterations, storedKey, serverKey);
    }

    /// <summary>True when the password is the one that this secret was derived from. Takes the same time for any
    /// password that was not proved before; some milliseconds of processor time.</summary>
    /// <param name="password">The password, as the user typed it.</param>
    /// <param name="proved">What was proved before; null to compute it each time.</param>
    public bool Verify(string password, ProvedPasswords? proved = null)
    {
        if (!TryPrepare(password, out byte[]? prepared)) return false;
        var mark = proved?.MarkOf(_storedKey, prepared) ?? 0;
        if (proved?.Has(mark) == true) return true;
        byte[] clientKey = Hash.Hmac(Hash.Hi(prepared, _salt, Iterations), "Client Key"u8);
        if (!CryptographicOperations.FixedTimeEquals(Hash.Digest(clientKey), _storedKey)) return false;
        proved?.Add(mark);
        return true;
    }

    /// <summary>The text under which it is stored, in the form of RFC 5803 §3:
    /// <c>SCRAM-SHA-256$iterations:salt$storedKey:serverKey</c> with base64 parts.</summary>
    public string ToStorage() => string.Create(CultureInfo.InvariantCulture,
        $"{Hash.MechanismName()}${Iterations}:{Convert.ToBase64String(_salt)}" +
        $"${Convert.ToBase64String(_storedKey)}:{Convert.ToBase64String(_serverKey)}");

    /// <summary>Reads what <see cref="ToStorage"/> wrote.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ScramSecret? secret)
    {
        secret = null;
        if (text?.Split('$') is not [var scheme, var cost, var keys]) return false;
        ScramHash? hash = scheme switch
        {
            "SCRAM-SHA-1" => ScramHash.Sha1,
            "SCRAM-SHA-256" => ScramHash.Sha256,
            _ => null,
        };
        if (hash is null || cost.Split(':') is not [var count, var salt]) return false;
        if (keys.Split(':') is not [var stored, var server]) return false;
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int iterations)) return false;
        if (!SaslBase64.TryDecode(salt, out byte[]? s) || !SaslBase64.TryDecode(stored, out byte[]? k1) ||
            !SaslBase64.TryDecode(server, out byte[]? k2))
            return false;
        secret = Create(hash.Value, s, iterations, k1, k2);
        return secret is not null;
    }

    /// <summary>Mechanism and cost alone: keys must not reach a log.</summary>
    public override string ToString() => $"{Hash.MechanismName()}, {Iterations} iterations";

    /// <summary>Prepares a password by the OpaqueString profile.</summary>
    /// <remarks>
    /// RFC 5802 §2.2 names SASLprep; RFC 8265 §4 (and RFC 7613 before it) puts OpaqueString in its place. The two agree
    /// on
    /// ASCII, on spaces and on composed and decomposed letters. They differ on compatibility characters (full-width
    /// forms),
    /// which SASLprep folds and OpaqueString keeps. What OpaqueString refuses (control and invisible characters,
    /// unassigned code points) is refused and not used raw: a form that two clients type in two ways locks its owner
    /// out.
    /// </remarks>
    static bool TryPrepare(string password, [NotNullWhen(true)] out byte[]? prepared)
    {
        // The resource of a JID has the same profile and the same bound, 1,023 bytes.
        prepared = JidPrep.TryResource(password, out string? opaque) ? Encoding.UTF8.GetBytes(opaque) : null;
        return prepared is not null;
    }

    static bool IsUsable(ReadOnlySpan<byte> salt, int iterations) =>
        iterations is >= IterationsMin and <= IterationsMax && salt.Length is >= SaltBytesMin and <= SaltBytesMax;
}
