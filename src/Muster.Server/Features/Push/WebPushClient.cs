using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Core.Delivery;

namespace Muster.Server.Features.Push;

/// <summary>The address of a push service does not lie in the public internet.</summary>
sealed class PrivateAddressException(string message) : IOException(message);

/// <summary>Sends to push services of browsers over HTTPS (RFC 8030 §5). Users name the addresses, so: no redirects, no
/// proxy, no cookies; only addresses in the public internet, checked when the connection is made; nothing of an answer
/// but its status is of interest.</summary>
sealed class WebPushClient : IDisposable
{
    static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);
    const int AnswerHeaderKilobytes = 16, AnswerBytes = 16 * 1024;

    readonly TimeProvider _clock;
    readonly HttpMessageInvoker _http;

    /// <param name="clock">The time.</param>
    /// <param name="mayBePrivate">Whether a host may have any address.</param>
    /// <param name="roots">Further authorities for certificates; null for none.</param>
    public WebPushClient(TimeProvider clock, Func<string, bool> mayBePrivate, X509Certificate2Collection? roots)
    {
        _clock = clock;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            Credentials = null,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = ConnectTime,
            ConnectCallback = (context, cancel) => Connect(context.DnsEndPoint, mayBePrivate, cancel),
            EnableMultipleHttp2Connections = true,
            MaxConnectionsPerServer = 20,
            MaxResponseHeadersLength = AnswerHeaderKilobytes,
            MaxResponseDrainSize = AnswerBytes,
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            // So that a change of the service's address in DNS is seen.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (roots is not null)
        {
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            } };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }
        _http = new HttpMessageInvoker(handler);
    }

    /// <summary>Sends one message; the status of the answer.</summary>
    /// <param name="message">The message.</param>
    /// <param name="authorization">What follows <c>vapid</c>.</param>
    /// <param name="life">How long the push service keeps it.</param>
    /// <param name="limit">The time for all of it.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="PrivateAddressException">The service has no address in the public internet.</exception>
    /// <exception cref="HttpRequestException">It cannot be reached, or what it says is no HTTP.</exception>
    /// <exception cref="OperationCanceledException">It did not answer in time.</exception>
    public async Task<int> Send(
        WebPushMessage message, string authorization, TimeSpan life, TimeSpan limit, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, message.To.Endpoint)
        {
            // HTTP/2 where the service has it, as RFC 8030 wants it.
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = new ByteArrayContent(Seal(message)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        request.Content.Headers.ContentEncoding.Add("aes128gcm");
        request.Headers.Authorization = new AuthenticationHeaderValue("vapid", authorization);
        request.Headers.Add("TTL", ((long)life.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("Urgency", message.Urgency);
        request.Headers.Add("Topic", message.Topic);
        using var timeout = new CancellationTokenSource(limit, _clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        try
        {
            // Comes back with the head of the answer. What follows is drained within the bounds above, or cut off.
            using var answer = await _http.SendAsync(request, linked.Token);
            return (int)answer.StatusCode;
        }
        catch (HttpRequestException e) when (e.InnerException is PrivateAddressException refused)
        {
            throw refused;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    static byte[] Seal(WebPushMessage message)
    {
        using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        return WebPushCipher.Encrypt(message.ToJson(), message.To, own,
            RandomNumberGenerator.GetBytes(WebPushCipher.SaltBytes));
    }

    // What is checked is what is connected to: a name that means another address a moment later gains nothing.
    static async ValueTask<Stream> Connect(DnsEndPoint to, Func<string, bool> mayBePrivate, CancellationToken cancel)
    {
        bool isFree = mayBePrivate(to.Host);
        var addresses = await Dns.GetHostAddressesAsync(to.Host, cancel);
        if (!isFree) addresses = Array.FindAll(addresses, PublicAddresses.Contains);
        if (addresses.Length == 0) throw Refused();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, to.Port, cancel);
            // A public address of this machine itself: it may be spoken to from there by what trusts it.
            if (!isFree && socket is { LocalEndPoint: IPEndPoint own, RemoteEndPoint: IPEndPoint theirs }
                && own.Address.Equals(theirs.Address)) throw Refused();
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        PrivateAddressException Refused() => new($"{to.Host} has no address in the public internet");
    }
}
