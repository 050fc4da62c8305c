using System.Diagnostics.CodeAnalysis;

namespace Muster.Protocol.Sasl;

/// <summary>Base64 as SASL profiles require it (RFC 6120 §6.4.2, RFC 4648 §3): no white space, no missing padding, no
/// other
/// spelling of the same bytes. The decoders of the class library are laxer.</summary>
public static class SaslBase64
{
    /// <summary>Longer text is not decoded: base64 of <see cref="SaslExchange.MessageBytesMax"/> bytes.</summary>
    public const int CharsMax = (SaslExchange.MessageBytesMax + 2) / 3 * 4;

    /// <summary>Decodes the text of a response. An empty text is an empty message.</summary>
    /// <returns>False for what is no strict base64 or too long: answer incorrect-encoding (RFC 6120 §6.5.5).</returns>
    public static bool TryDecode(string text, [NotNullWhen(true)] out byte[]? data)
    {
        data = null;
        if (text.Length > CharsMax || text.Length % 4 != 0) return false;
        var buffer = new byte[text.Length / 4 * 3];
        if (!Convert.TryFromBase64Chars(text, buffer, out int count)) return false;
        // Only the one canonical spelling comes out again as it went in.
        if (Convert.ToBase64String(buffer, 0, count) != text) return false;
        data = buffer[..count];
        return true;
    }

    /// <summary>Decodes the text that came with the choice of a mechanism: none is null, "=" is an empty message
    /// (RFC 6120 §6.4.2).</summary>
    public static bool TryDecodeInitial(string text, out byte[]? data)
    {
        data = text == "=" ? [] : null;
        return text is "" or "=" || TryDecode(text, out data);
    }

    /// <summary>Encodes a challenge.</summary>
    public static string Encode(byte[] data) => Convert.ToBase64String(data);

    /// <summary>Encodes the additional data of a success: null is no text, an empty message is "=" (RFC 6120
    /// §6.4.6).</summary>
    public static string? EncodeFinal(byte[]? data) => data switch
    {
        null => null,
        [] => "=",
        _ => Convert.ToBase64String(data),
    };
}
