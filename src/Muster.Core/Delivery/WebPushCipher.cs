using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Muster.Core.Delivery;

/// <summary>Encrypts for one browser, so that its vendor carries what it cannot read: RFC 8291, with the coding
/// <c>aes128gcm</c> of RFC 8188 in one record.</summary>
public static class WebPushCipher
{
    /// <summary>Bytes of a message that every push service takes (RFC 8030 §7.2), all of it included.</summary>
    public const int BytesMax = 4096;
    /// <summary>Bytes of the salt.</summary>
    public const int SaltBytes = 16;
    const int KeyBytes = 65, TagBytes = 16, HeaderBytes = SaltBytes + 4 + 1 + KeyBytes;
    /// <summary>Bytes of text that fit: without header, tag and the octet that ends it (RFC 8291 §4: 3993).</summary>
    public const int TextBytesMax = BytesMax - HeaderBytes - TagBytes - 1;

    /// <summary>Encrypts.</summary>
    /// <param name="text">What the browser is to get; at most <see cref="TextBytesMax"/>.</param>
    /// <param name="to">The browser.</param>
    /// <param name="own">A key pair on P-256 for this message alone.</param>
    /// <param name="salt">Random, for this message alone.</param>
    /// <returns>The body of the request.</returns>
    public static byte[] Encrypt(
        ReadOnlySpan<byte> text, WebPushSubscription to, ECDiffieHellman own, ReadOnlySpan<byte> salt)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(text.Length, TextBytesMax, nameof(text));
        byte[] ownKey = Point(own.ExportParameters(false).Q);
        using var theirs = PublicKey(to.Key);
        using var theirKey = theirs.PublicKey;
        // RFC 8291 §3.3, §3.4.
        byte[] shared = own.DeriveRawSecretAgreement(theirKey);
        byte[] input = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, 32, to.Auth,
            [.. "WebPush: info\0"u8, .. to.Key, .. ownKey]);
        // RFC 8188 §2.2, §2.3. The first record's nonce is the base itself.
        byte[] secret = HKDF.Extract(HashAlgorithmName.SHA256, input, salt.ToArray());
        byte[] key = HKDF.Expand(HashAlgorithmName.SHA256, secret, 16, "Content-Encoding: aes128gcm\0"u8.ToArray());
        byte[] nonce = HKDF.Expand(HashAlgorithmName.SHA256, secret, 12, "Content-Encoding: nonce\0"u8.ToArray());

        byte[] body = new byte[HeaderBytes + text.Length + 1 + TagBytes];
        // RFC 8188 §2.1: salt, size of records, the key's name: our public key (RFC 8291 §4).
        salt.CopyTo(body);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(SaltBytes), BytesMax);
        body[SaltBytes + 4] = KeyBytes;
        ownKey.CopyTo(body, SaltBytes + 5);
        byte[] record = [.. text, 2]; // RFC 8188 §2: the last record
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, record, body.AsSpan(HeaderBytes, record.Length), body.AsSpan(HeaderBytes + record.Length));
        return body;
    }

    /// <summary>An uncompressed point as a key.</summary>
    /// <exception cref="CryptographicException">It is not on the curve.</exception>
    public static ECDiffieHellman PublicKey(ReadOnlySpan<byte> point) => ECDiffieHellman.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = point[1..33].ToArray(), Y = point[33..65].ToArray() },
    });

    /// <summary>A point in its uncompressed form.</summary>
    public static byte[] Point(ECPoint point) => [4, .. point.X!, .. point.Y!];
}
