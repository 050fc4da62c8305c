using System.Security.Cryptography;

namespace Muster.Protocol.Sasl;

/// <summary>The hash functions of SCRAM that are supported. The numbers may be stored and never change.</summary>
public enum ScramHash
{
    /// <summary>SCRAM-SHA-1 (RFC 5802).</summary>
    Sha1 = 1,
    /// <summary>SCRAM-SHA-256 (RFC 7677).</summary>
    Sha256 = 2,
}

/// <summary>The functions of RFC 5802 §2.2 for one hash.</summary>
static class ScramMath
{
    /// <summary>The name that the class library knows it by.</summary>
    public static HashAlgorithmName Algorithm(this ScramHash hash) =>
        hash == ScramHash.Sha1 ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256;

    /// <summary>Size of the hash in bytes.</summary>
    public static int Size(this ScramHash hash) =>
        hash == ScramHash.Sha1 ? SHA1.HashSizeInBytes : SHA256.HashSizeInBytes;

    /// <summary>Name of the mechanism.</summary>
    public static string MechanismName(this ScramHash hash) => hash == ScramHash.Sha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256";

#pragma warning disable CA5350 // SHA-1 is what RFC 5802 defines; HMAC does not rest on its collision resistance
    /// <summary>H(data).</summary>
    public static byte[] Digest(this ScramHash hash, ReadOnlySpan<byte> data) =>
        hash == ScramHash.Sha1 ? SHA1.HashData(data) : SHA256.HashData(data);

    /// <summary>HMAC(key, data).</summary>
    public static byte[] Hmac(this ScramHash hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data) =>
        hash == ScramHash.Sha1 ? HMACSHA1.HashData(key, data) : HMACSHA256.HashData(key, data);
#pragma warning restore CA5350

    /// <summary>Hi(password, salt, iterations), which is PBKDF2 with HMAC and one block.</summary>
    public static byte[] Hi(this ScramHash hash, byte[] password, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, hash.Algorithm(), hash.Size());
}
