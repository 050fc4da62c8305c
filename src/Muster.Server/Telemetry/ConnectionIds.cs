using System.Security.Cryptography;

namespace Muster.Server.Telemetry;

/// <summary>Names of connections and streams.</summary>
static class ConnectionIds
{
    const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";

    static long _last;

    /// <summary>A short name of a connection, unique in this process: it stands in every log line about it and in the
    /// text of
    /// its stream errors, so that a user's report can be found.</summary>
    /// <param name="kind">Letter for the kind of connection: c for a client's.</param>
    public static string Next(char kind)
    {
        Span<char> text = stackalloc char[14];
        int at = text.Length;
        for (long rest = Interlocked.Increment(ref _last); rest > 0; rest /= Digits.Length)
            text[--at] = Digits[(int)(rest % Digits.Length)];
        text[--at] = kind;
        return text[at..].ToString();
    }

    /// <summary>An id for a stream: random, as nobody may guess it (RFC 6120 §4.7.3).</summary>
    public static string NewStreamId() => RandomNumberGenerator.GetHexString(24, lowercase: true);

    /// <summary>A nonce for SCRAM (RFC 5802 §5.1).</summary>
    public static string NewNonce() => RandomNumberGenerator.GetHexString(36, lowercase: true);
}
