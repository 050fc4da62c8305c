using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace Muster.Protocol.Sasl;

/// <summary>The message of PLAIN (RFC 4616 §2): <c>[authzid] NUL authcid NUL passwd</c>.</summary>
public sealed class Plain
{
    /// <summary>RFC 4616 §2 asks for at least 255 bytes a part; JIDs may have 1,023.</summary>
    public const int PartBytesMax = 1023;

    Plain(string authzid, string username, string password)
    {
        Authzid = authzid;
        Username = username;
        Password = password;
    }

    /// <summary>As whom to act; empty for oneself.</summary>
    public string Authzid { get; }
    /// <summary>Who logs in.</summary>
    public string Username { get; }
    /// <summary>The password.</summary>
    public string Password { get; }

    /// <summary>Reads the message; false when it is malformed.</summary>
    public static bool TryParse(ReadOnlySpan<byte> message, [NotNullWhen(true)] out Plain? plain)
    {
        plain = null;
        int first = message.IndexOf((byte)0);
        if (first < 0 || !Utf8.IsValid(message)) return false;
        var rest = message[(first + 1)..];
        int second = rest.IndexOf((byte)0);
        if (second < 0) return false;
        var authzid = message[..first];
        var username = rest[..second];
        var password = rest[(second + 1)..];
        // RFC 4616 §2: authcid = 1*SAFE, passwd = 1*SAFE, and NUL stands in none of them.
        if (username.IsEmpty || password.IsEmpty || password.Contains((byte)0)) return false;
        if (Math.Max(authzid.Length, Math.Max(username.Length, password.Length)) > PartBytesMax) return false;
        var utf8 = Encoding.UTF8;
        plain = new(utf8.GetString(authzid), utf8.GetString(username), utf8.GetString(password));
        return true;
    }

    /// <summary>The names without the password: it must not reach a log.</summary>
    public override string ToString() => $"PLAIN {Username}";
}
