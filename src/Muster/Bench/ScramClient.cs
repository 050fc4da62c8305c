using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Muster.Bench;

/// <summary>The client's side of SCRAM without channel binding (RFC 5802 §3, RFC 7677). Derived keys are kept by salt,
/// as clients do, so that the generator does not spend its core on PBKDF2.</summary>
sealed class ScramClient
{
    static readonly ConcurrentDictionary<string, byte[]> Derived = new(StringComparer.Ordinal);

    readonly HashAlgorithmName _hash;
    readonly string _password, _bare;

    /// <param name="mechanism">SCRAM-SHA-1 or SCRAM-SHA-256.</param>
    /// <param name="user">The user, in letters that need no escapes.</param>
    /// <param name="password">The password.</param>
    public ScramClient(string mechanism, string user, string password)
    {
        _hash = mechanism.EndsWith("256", StringComparison.Ordinal) ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1;
        _password = password;
        _bare = $"n={user},r={Convert.ToHexString(RandomNumberGenerator.GetBytes(12))}";
    }

    /// <summary>The first message, in base64.</summary>
    public string First => Encode($"n,,{_bare}");

    /// <summary>The answer to the server's first message; both in base64.</summary>
    public string Answer(string challenge)
    {
        string asked = Encoding.UTF8.GetString(Convert.FromBase64String(challenge));
        var parts = asked.Split(',').ToDictionary(part => part[0], part => part[2..]);
        int iterations = int.Parse(parts['i'], CultureInfo.InvariantCulture);
        byte[] salted = Derived.GetOrAdd($"{_hash.Name} {_password} {parts['s']} {iterations}", _ =>
            Rfc2898DeriveBytes.Pbkdf2(_password, Convert.FromBase64String(parts['s']), iterations, _hash, Size));
        byte[] clientKey = Hmac(salted, "Client Key");
        string final = $"c=biws,r={parts['r']}";
        byte[] proof = Hmac(CryptographicOperations.HashData(_hash, clientKey), $"{_bare},{asked},{final}");
        for (int i = 0; i < proof.Length; i++) proof[i] ^= clientKey[i];
        return Encode($"{final},p={Convert.ToBase64String(proof)}");
    }

    int Size => _hash == HashAlgorithmName.SHA256 ? SHA256.HashSizeInBytes : SHA1.HashSizeInBytes;

    byte[] Hmac(byte[] key, string text) =>
        CryptographicOperations.HmacData(_hash, key, Encoding.UTF8.GetBytes(text));

    static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
