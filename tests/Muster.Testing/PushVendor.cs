using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Muster.Testing;

/// <summary>A message as a push service gets it (RFC 8030 §5).</summary>
/// <param name="Path">The push resource.</param>
/// <param name="Headers">The request's headers.</param>
/// <param name="Body">What is for the browser.</param>
public sealed record VendorPush(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>What a token for a push service says (RFC 8292 §2).</summary>
/// <param name="Audience">For whom.</param>
/// <param name="Expires">Until when.</param>
/// <param name="Contact">Of whom.</param>
/// <param name="Key">The key that it is signed with.</param>
public sealed record VapidToken(string Audience, DateTimeOffset Expires, string Contact, string Key)
{
    /// <summary>Reads the header and checks the signature.</summary>
    public static VapidToken Read(string authorization)
    {
        var parts = authorization.Split(' ', 2)[1].Split(',')
            .Select(part => part.Trim().Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
        string[] token = parts["t"].Split('.');
        byte[] point = Base64Url.DecodeFromChars(parts["k"]);
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = point[1..33], Y = point[33..] },
        });
        if (!key.VerifyData(Encoding.ASCII.GetBytes($"{token[0]}.{token[1]}"), Base64Url.DecodeFromChars(token[2]),
            HashAlgorithmName.SHA256)) throw new InvalidOperationException("the signature is wrong");
        using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(token[0]));
        if (header.RootElement.GetProperty("alg").GetString() != "ES256")
            throw new InvalidOperationException("not ES256");
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(token[1]));
        return new VapidToken(claims.RootElement.GetProperty("aud").GetString()!,
            DateTimeOffset.FromUnixTimeSeconds(claims.RootElement.GetProperty("exp").GetInt64()),
            claims.RootElement.GetProperty("sub").GetString()!, parts["k"]);
    }
}

/// <summary>The push service of a browser's vendor, over HTTPS on loopback. What it answers stands in the path that a
/// browser is given: <c>/201/x</c> a status, <c>/never/x</c> nothing, <c>/endless/x</c> a body without end,
/// <c>/redirect/x</c> a way to <c>/201/elsewhere</c>.</summary>
public sealed class PushVendor : IAsyncDisposable
{
    readonly Channel<VendorPush> _pushes = Channel.CreateUnbounded<VendorPush>();
    readonly WebApplication _app;
    readonly CancellationTokenSource _stop = new();

    PushVendor(WebApplication app) => _app = app;

    /// <summary>Scheme, name and port.</summary>
    public string Origin { get; private set; } = "";

    /// <summary>Starts one.</summary>
    /// <param name="authority">Who certifies that it is localhost.</param>
    public static async Task<PushVendor> StartAsync(TestAuthority authority)
    {
        ArgumentNullException.ThrowIfNull(authority);
        var (cert, key) = authority.Issue(["localhost"]);
        using var pem = X509Certificate2.CreateFromPemFile(cert, key);
        // Without the detour by PKCS 12 some systems take no such key.
        var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var vendor = new PushVendor(builder.Build());
        vendor._app.Run(vendor.TakeAsync);
        await vendor._app.StartAsync();
        string address = vendor._app.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses.Single();
        vendor.Origin = $"https://localhost:{new Uri(address).Port}";
        return vendor;
    }

    /// <summary>A browser that takes its pushes here.</summary>
    public PushBrowser Browser(string path = "/201/romeo") => new($"{Origin}{path}");

    /// <summary>The next message.</summary>
    public async Task<VendorPush> NextAsync() =>
        await _pushes.Reader.ReadAsync().AsTask().WaitAsync(TestClient.Patience);

    /// <summary>How many messages came that nobody has taken.</summary>
    public int Waiting => _pushes.Reader.Count;

    async Task TakeAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var headers = http.Request.Headers.ToDictionary(
            header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        await _pushes.Writer.WriteAsync(new VendorPush(http.Request.Path, headers, body.ToArray()));
        string word = http.Request.Path.Value!.Split('/')[1];
        try
        {
            switch (word)
            {
                case "never":
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                    break;
                case "endless":
                    http.Response.StatusCode = 201;
                    while (true) await http.Response.Body.WriteAsync(new byte[64 * 1024], _stop.Token);
                case "redirect":
                    http.Response.StatusCode = 307;
                    http.Response.Headers.Location = $"{Origin}/201/elsewhere";
                    break;
                default:
                    http.Response.StatusCode = int.Parse(word, CultureInfo.InvariantCulture);
                    break;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The caller has had enough, or the test has.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _app.DisposeAsync();
        _stop.Dispose();
    }
}

/// <summary>A browser that has subscribed: its keys, and how it reads what comes (RFC 8291 §3, RFC 8188).</summary>
/// <param name="endpoint">Where it takes pushes.</param>
public sealed class PushBrowser(string endpoint)
{
    readonly ECDiffieHellman _key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    readonly byte[] _auth = RandomNumberGenerator.GetBytes(16);

    /// <summary>Where it takes pushes.</summary>
    public string Endpoint => endpoint;
    /// <summary>Its public key.</summary>
    public string Key => Base64Url.EncodeToString(Point);
    /// <summary>Its secret.</summary>
    public string Auth => Base64Url.EncodeToString(_auth);

    byte[] Point => _key.ExportParameters(false).Q is var q ? [4, .. q.X!, .. q.Y!] : [];

    /// <summary>The form for <c>enable</c>.</summary>
    public string Form => FormOf(endpoint, Key, Auth);

    /// <summary>Such a form with anything in it.</summary>
    public static string FormOf(string? endpoint, string? key, string? auth)
    {
        return "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
            "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
            Field("endpoint", endpoint) + Field("p256dh", key) + Field("auth", auth) + "</x>";

        static string Field(string name, string? value) =>
            value is null ? "" : $"<field var='{name}'><value>{WebUtility.HtmlEncode(value)}</value></field>";
    }

    /// <summary>Reads a message.</summary>
    public JsonElement Read(VendorPush push)
    {
        ArgumentNullException.ThrowIfNull(push);
        byte[] body = push.Body;
        byte[] salt = body[..16], theirs = body[21..86];
        using var sender = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = theirs[1..33], Y = theirs[33..] },
        });
        byte[] secret = HKDF.DeriveKey(HashAlgorithmName.SHA256, _key.DeriveRawSecretAgreement(sender.PublicKey), 32,
            _auth, [.. "WebPush: info\0"u8, .. Point, .. theirs]);
        byte[] key = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 16, salt,
            "Content-Encoding: aes128gcm\0"u8.ToArray());
        byte[] nonce = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 12, salt,
            "Content-Encoding: nonce\0"u8.ToArray());
        byte[] text = new byte[body.Length - 86 - 16];
        using var aes = new AesGcm(key, 16);
        aes.Decrypt(nonce, body.AsSpan(86, text.Length), body.AsSpan(body.Length - 16), text);
        if (text[^1] != 2) throw new InvalidOperationException("not the last record");
        using var json = JsonDocument.Parse(text.AsMemory(0, text.Length - 1));
        return json.RootElement.Clone();
    }
}
