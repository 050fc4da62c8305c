using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Sasl;

namespace Muster.Tests.Sasl;

/// <summary>The client's side of SCRAM as RFC 5802 §3 writes it down, kept apart from the server's code on
/// purpose.</summary>
static class ScramClient
{
    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The client-final message for a password.</summary>
    public static byte[] Final(
        ScramHash hash, string password, string clientFirstBare, string serverFirst, byte[] binding)
    {
        string[] fields = serverFirst.Split(',');
        byte[] salt = Convert.FromBase64String(fields[1][2..]);
        string withoutProof = $"c={Convert.ToBase64String(binding)},{fields[0]}";
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(
            password, salt, int.Parse(fields[2][2..]), Name(hash), hash == ScramHash.Sha1 ? 20 : 32);
        byte[] clientKey = Hmac(hash, salted, Utf8("Client Key"));
        byte[] storedKey = CryptographicOperations.HashData(Name(hash), clientKey);
        byte[] signature = Hmac(hash, storedKey, Utf8($"{clientFirstBare},{serverFirst},{withoutProof}"));
        byte[] proof = [.. clientKey.Zip(signature, (a, b) => (byte)(a ^ b))];
        return Utf8($"{withoutProof},p={Convert.ToBase64String(proof)}");
    }

    static HashAlgorithmName Name(ScramHash hash) =>
        hash == ScramHash.Sha1 ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256;

    static byte[] Hmac(ScramHash hash, byte[] key, byte[] data) =>
        CryptographicOperations.HmacData(Name(hash), key, data);
}
