using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;

namespace Muster.Core.Delivery;

/// <summary>Where a browser takes push messages, as it said itself (W3C Push API §8, PushSubscription): the address at
/// its vendor's push service, and what a message is encrypted with (RFC 8291 §3). Travels as fields of the form that
/// goes with each push (XEP-0357 §5, publish-options).</summary>
/// <param name="Endpoint">The push resource. Whoever knows it can send there: it is never logged whole.</param>
/// <param name="Key">The browser's public key: an uncompressed point on P-256, 65 bytes.</param>
/// <param name="Auth">The authentication secret, 16 bytes.</param>
public sealed record WebPushSubscription(Uri Endpoint, byte[] Key, byte[] Auth)
{
    /// <summary>The fields of the form.</summary>
    public const string EndpointVar = "endpoint", KeyVar = "p256dh", AuthVar = "auth";
    // What is in use has 100 to 700 characters.
    const int EndpointCharsMax = 2048;
    const int AuthBytes = 16;

    /// <summary>The push service: scheme, host and, where it is not the usual one, port (RFC 6454 §6.2).</summary>
    public string Origin => Endpoint.GetLeftPart(UriPartial.Authority);

    /// <summary>The push service alone that a form names, without looking at the rest; null when it names
    /// none.</summary>
    public static string? OriginOf(Element? form) =>
        form is not null && Uri.TryCreate(DataForm.Read(form, out _)?.Value(EndpointVar), UriKind.Absolute, out var uri)
            ? uri.GetLeftPart(UriPartial.Authority) : null;

    /// <summary>Reads the form.</summary>
    /// <param name="form">The publish-options, or null.</param>
    /// <param name="problem">What is wrong, for the client; null when nothing is.</param>
    /// <returns>Null when something is wrong.</returns>
    public static WebPushSubscription? Read(Element? form, out string? problem)
    {
        problem = null;
        var fields = form is null ? null : DataForm.Read(form, out _);
        string? address = fields?.Value(EndpointVar);
        if (address is not { Length: > 0 and <= EndpointCharsMax }
            || !Uri.TryCreate(address, UriKind.Absolute, out var endpoint))
            problem = "endpoint must be an address of at most 2048 characters";
        // RFC 8030 §8: HTTPS only. What a browser gives has neither name and password nor fragment.
        else if (endpoint.Scheme != Uri.UriSchemeHttps || endpoint.UserInfo.Length > 0 || endpoint.Fragment.Length > 0)
            problem = "endpoint must be an https address";
        else if (Decode(fields!.Value(KeyVar)) is not { } key || !IsPoint(key))
            problem = "p256dh must be a point on P-256, uncompressed, in base64url";
        else if (Decode(fields.Value(AuthVar)) is not { Length: AuthBytes } auth)
            problem = "auth must be 16 bytes in base64url";
        else
            return new WebPushSubscription(endpoint, key, auth);
        return null;
    }

    /// <summary>Reads base64url with or without padding; null when it is none.</summary>
    public static byte[]? Decode(string? text)
    {
        if (text is not { Length: > 0 and <= 200 }) return null;
        byte[] bytes = new byte[text.Length];
        return Base64Url.DecodeFromChars(text.AsSpan().TrimEnd('='), bytes, out _, out int written)
            == OperationStatus.Done ? bytes[..written] : null;
    }

    static bool IsPoint(byte[] key)
    {
        if (key is not [4, ..] || key.Length != 65) return false;
        try
        {
            using var point = WebPushCipher.PublicKey(key);
            return true;
        }
        catch (CryptographicException)
        {
            return false; // not on the curve
        }
    }
}
