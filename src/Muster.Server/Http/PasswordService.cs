using System.Net;
using System.Text.Json;
using System.Xml;
using Muster.Protocol.Addresses;
using Muster.Server.Rooms;

namespace Muster.Server.Http;

/// <summary>Asks an HTTP service whether the password for a room is right (muc.md §17).</summary>
sealed class PasswordService(HttpPool pool)
{
    const int TextMax = 1000;

    /// <summary>Asks. The answer has no code when there was none that can be used.</summary>
    public async Task<PasswordAnswer> Check(Jid session, Jid room, string password)
    {
        string query = $"from={WebUtility.UrlEncode(session.ToString())}&to={WebUtility.UrlEncode(room.ToString())}" +
            $"&pass={WebUtility.UrlEncode(password)}";
        return await pool.Get($"check_password?{query}") is { Status: HttpStatusCode.OK } answer
            ? Read(answer.Body)
            : default;
    }

    /// <summary>Reads <c>{"code": 0, "msg": "OK"}</c>.</summary>
    public static PasswordAnswer Read(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("code", out var code)
                || code.ValueKind != JsonValueKind.Number || !code.TryGetInt32(out int number))
            {
                return default;
            }
            bool hasText = root.TryGetProperty("msg", out var text) && text.ValueKind == JsonValueKind.String;
            return new PasswordAnswer(number, hasText ? Clean(text.GetString()!) : null);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return default; // no JSON, or a text that is no Unicode
        }
    }

    // JSON can hold characters that XML cannot.
    static string Clean(string text)
    {
        if (text.Length > TextMax) text = text[..(char.IsHighSurrogate(text[TextMax - 1]) ? TextMax - 1 : TextMax)];
        return string.Concat(text.EnumerateRunes()
            .Select(rune => rune.Value > 0xffff || XmlConvert.IsXmlChar((char)rune.Value) ? rune.ToString() : " "));
    }
}
