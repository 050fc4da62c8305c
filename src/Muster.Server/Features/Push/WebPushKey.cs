using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Muster.Core.Delivery;
using Muster.Server.Storage;

namespace Muster.Server.Features.Push;

/// <summary>Who the server is to push services of browsers: its key pair, made once and kept in the database, and the
/// tokens that it signs with it (VAPID, RFC 8292). A browser's subscription is bound to the public key, so another pair
/// would end all of them. Never logged.</summary>
sealed class WebPushKey : IDisposable
{
    const string StoredName = "web-push";
    const int TokensMax = 1000;
    // RFC 8292 §2: not more than a day. Used again for half of its life, so that a push service can remember it (§4.1).
    static readonly TimeSpan Life = TimeSpan.FromHours(12), Use = TimeSpan.FromHours(6);
    static readonly string Header = Base64Url.EncodeToString("""{"typ":"JWT","alg":"ES256"}"""u8);

    readonly ECDsa _key;
    readonly TimeProvider _clock;
    readonly Lock _lock = new();
    readonly Dictionary<(string Origin, string Contact), (string Token, DateTimeOffset Until)> _tokens = [];

    WebPushKey(ECDsa key, TimeProvider clock)
    {
        (_key, _clock) = (key, clock);
        Public = Base64Url.EncodeToString(WebPushCipher.Point(key.ExportParameters(false).Q));
    }

    /// <summary>The public key as browsers take it (W3C Push API, applicationServerKey): base64url.</summary>
    public string Public { get; }

    /// <summary>Takes the pair from the database, or makes it.</summary>
    /// <exception cref="StorageException">It cannot be read or written, or is none.</exception>
    public static async ValueTask<WebPushKey> Open(Database database, TimeProvider clock)
    {
        byte[] proposed;
        using (var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256)) proposed = fresh.ExportPkcs8PrivateKey();
        var stored = await database.ServerKeys.GetOrAdd(StoredName, proposed);
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(stored.Span, out _);
            return new WebPushKey(key, clock);
        }
        catch (CryptographicException e)
        {
            key.Dispose();
            throw new StorageException(StorageFault.Unreadable,
                $"the stored key '{StoredName}' is none: remove the row from server_keys; browsers register again", e);
        }
    }

    /// <summary>The value of <c>Authorization</c> after the scheme <c>vapid</c> (RFC 8292 §3).</summary>
    /// <param name="origin">The push service.</param>
    /// <param name="contact">Where its operator reaches ours: a mailto: or https: address (§2.1).</param>
    public string Authorization(string origin, string contact) => $"t={Token(origin, contact)}, k={Public}";

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    string Token(string origin, string contact)
    {
        var now = _clock.GetUtcNow();
        // One signature at a time: a key object is not for several threads.
        lock (_lock)
        {
            if (_tokens.TryGetValue((origin, contact), out var known) && known.Until > now) return known.Token;
            if (_tokens.Count >= TokensMax) _tokens.Clear();
            string claims = JsonSerializer.Serialize(
                new VapidClaims(origin, (now + Life).ToUnixTimeSeconds(), contact), VapidJson.Default.VapidClaims);
            string signed = $"{Header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
            byte[] signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
            string token = $"{signed}.{Base64Url.EncodeToString(signature)}";
            _tokens[(origin, contact)] = (token, now + Use);
            return token;
        }
    }
}
