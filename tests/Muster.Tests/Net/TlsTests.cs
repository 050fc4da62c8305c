using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Muster.Protocol.Sasl;
using Muster.Protocol.Xml;
using Muster.Server.Net;
using Muster.Testing;
using Muster.Tests.Sasl;

namespace Muster.Tests.Net;

/// <summary>TLS over real sockets: STARTTLS, direct TLS, and what an attacker puts before them.</summary>
public sealed class TlsTests
{
    const string StartTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

    [Fact]
    [Spec("RFC 6120", "5.4")]
    public async Task StartTlsThenLogin()
    {
        await using var bench = await SocketBench.StartAsync();
        var stream = await bench.ConnectAsync(bench.StartTls);
        await AskForTlsAsync(stream);
        var tls = await bench.SecureAsync(stream);
        Assert.True(tls.SslProtocol is SslProtocols.Tls12 or SslProtocols.Tls13);
        await using var romeo = new TestClient(SocketBench.PipeOf(tls));
        await romeo.LoginAsync("romeo", "romeo", "orchard");
        await romeo.ExpectNothingAsync();
        await romeo.CloseAsync();
    }

    [Theory]
    [Spec("XEP-0368", "connecting")]
    [InlineData(null)]
    [InlineData("xmpp-client")]
    public async Task DirectTlsThenLogin(string? protocol)
    {
        await using var bench = await SocketBench.StartAsync();
        var tls = await bench.SecureAsync(await bench.ConnectAsync(bench.DirectTls), protocol);
        Assert.Equal(protocol ?? "", tls.NegotiatedApplicationProtocol.ToString());
        await using var romeo = new TestClient(SocketBench.PipeOf(tls));
        var features = await romeo.OpenAsync();
        Assert.Null(features.Child(Namespaces.Tls, "starttls"));
        Assert.NotNull(features.Child("urn:xmpp:sasl-cb:0", "sasl-channel-binding"));
    }

    [Fact]
    public async Task AnotherProtocolIsRefusedByAlpn()
    {
        await using var bench = await SocketBench.StartAsync();
        var stream = await bench.ConnectAsync(bench.DirectTls);
        await Assert.ThrowsAnyAsync<Exception>(() => bench.SecureAsync(stream, "xmpp-server"));
    }

    [Theory]
    [Spec("RFC 5929", "4")]
    [InlineData(false), InlineData(true)]
    public async Task TheLoginIsBoundToTheCertificate(bool extensible)
    {
        await using var bench = await SocketBench.StartAsync();
        var tls = await bench.SecureAsync(await bench.ConnectAsync(bench.DirectTls));
        await using var romeo = new TestClient(SocketBench.PipeOf(tls));
        await romeo.OpenAsync();
        byte[] binding = ChannelBinding.TlsServerEndPoint(tls.RemoteCertificate!.GetRawCertData())!;
        var success = await LoginAsync(romeo, binding, extensible);
        Assert.Equal("success", success.Name);
        string data = extensible ? success.Child("additional-data")!.Text : success.Text;
        Assert.StartsWith("v=", Encoding.UTF8.GetString(Convert.FromBase64String(data)), StringComparison.Ordinal);
    }

    [Theory]
    [Spec("RFC 5929", "4")]
    [InlineData(false), InlineData(true)]
    public async Task ALoginBoundToAnotherCertificateFails(bool extensible)
    {
        await using var bench = await SocketBench.StartAsync();
        var tls = await bench.SecureAsync(await bench.ConnectAsync(bench.DirectTls));
        await using var romeo = new TestClient(SocketBench.PipeOf(tls));
        await romeo.OpenAsync();
        using var other = SelfSignedCertificate.Create(["localhost"], TimeProvider.System.GetUtcNow());
        byte[] binding = ChannelBinding.TlsServerEndPoint(other.RawData)!;
        Assert.Equal("failure", (await LoginAsync(romeo, binding, extensible)).Name);
    }

    [Fact]
    [Spec("XEP-0484", "fast-auth")]
    [Spec("XEP-0440", "server")]
    public async Task ATokenIsBoundToTheCertificate()
    {
        const string Agent = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>";
        await using var bench = await SocketBench.StartAsync();
        var tls = await bench.SecureAsync(await bench.ConnectAsync(bench.DirectTls));
        await using var romeo = new TestClient(SocketBench.PipeOf(tls));
        var features = await romeo.OpenAsync();
        Assert.NotNull(features.Child("urn:xmpp:sasl-cb:0", "sasl-channel-binding"));
        await romeo.SendAsync("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>" + Agent +
            "<initial-response>AHJvbWVvAHJvbWVv</initial-response>" +
            "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-ENDP'/></authenticate>");
        string token = (await romeo.ReceiveAsync()).Child(Namespaces.Fast, "token")!.Attribute("token")!;
        await romeo.CloseAsync();

        tls = await bench.SecureAsync(await bench.ConnectAsync(bench.DirectTls));
        await using var again = new TestClient(SocketBench.PipeOf(tls));
        await again.OpenAsync();
        byte[] binding = ChannelBinding.TlsServerEndPoint(tls.RemoteCertificate!.GetRawCertData())!;
        async Task<Element> UseAsync(HashedToken mechanism, byte[] bound)
        {
            byte[] message = [.. ScramClient.Utf8("romeo\0"), .. mechanism.Prove(token, bound)];
            await again.SendAsync($"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>{Agent}" +
                $"<initial-response>{Convert.ToBase64String(message)}</initial-response>" +
                "<fast xmlns='urn:xmpp:fast:0'/></authenticate>");
            return await again.ReceiveAsync();
        }
        Assert.Equal("failure", (await UseAsync(HashedToken.Sha256EndPoint, new byte[32])).Name);
        Assert.Equal("failure", (await UseAsync(HashedToken.Sha256, [])).Name); // for the other mechanism
        Assert.Equal("success", (await UseAsync(HashedToken.Sha256EndPoint, binding)).Name);
        await again.CloseAsync();
    }

    [Theory]
    [Spec("RFC 6120", "5.4.3.3")]
    [InlineData("<message to='juliet@localhost'><body>injected</body></message>")]
    [InlineData("<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='x'>")]
    public async Task BytesBetweenStartTlsAndTlsEndTheStream(string injected)
    {
        await using var bench = await SocketBench.StartAsync();
        var stream = await bench.ConnectAsync(bench.StartTls);
        await using var client = new TestClient(SocketBench.PipeOf(stream));
        await client.OpenAsync();
        await client.SendAsync(StartTls + injected);
        await client.ExpectStreamErrorAsync("policy-violation");
    }

    [Fact]
    public async Task WhatIsNoHandshakeEndsTheConnection()
    {
        await using var bench = await SocketBench.StartAsync();
        var stream = await bench.ConnectAsync(bench.StartTls);
        await AskForTlsAsync(stream);
        await stream.WriteAsync("<stream:stream to='localhost' version='1.0'>"u8.ToArray());
        var buffer = new byte[1024];
        try
        {
            // An alert of TLS may come, and then the end.
            while (await stream.ReadAsync(buffer).AsTask().WaitAsync(TestClient.Patience) > 0) { }
        }
        catch (IOException)
        {
            // Or a reset.
        }
        Assert.Contains(bench.Logs.Lines, line => line.Id.Id == 1006);
    }

    [Fact]
    [Spec("RFC 9325", "3.1.1")]
    public async Task OldVersionsOfTlsAreRefused()
    {
        await using var bench = await SocketBench.StartAsync();
        var stream = await bench.ConnectAsync(bench.DirectTls);
        await using var tls = new SslStream(stream);
#pragma warning disable SYSLIB0039, CA5397, CA5398 // the point of the test
        await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = SslProtocols.Tls11,
            RemoteCertificateValidationCallback = SocketBench.IsOurs,
        }));
#pragma warning restore SYSLIB0039, CA5397, CA5398
    }

    [Fact]
    public async Task ARenewedCertificateIsShownWithoutARestart()
    {
        string folder = Directory.CreateTempSubdirectory("muster-test-").FullName;
        var clock = new FakeClock();
        var (certFile, keyFile) = SelfSignedCertificate.Ensure(folder, ["localhost"], clock.GetUtcNow());
        var source = new CertificateSource(certFile, keyFile, null, clock, new TestLogs().CreateLogger("test"));
        var first = source.Current;
        File.Delete(certFile);
        SelfSignedCertificate.Ensure(folder, ["localhost"], clock.GetUtcNow());
        File.SetLastWriteTimeUtc(certFile, DateTime.UnixEpoch.AddYears(60));
        Assert.Same(first, source.Current); // not looked at yet
        clock.Advance(TimeSpan.FromSeconds(6));
        var second = source.Current;
        Assert.NotSame(first, second);
        Assert.NotEqual(first.ChannelBinding, second.ChannelBinding);
        await File.WriteAllTextAsync(certFile, "half a file");
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Same(second, source.Current); // what cannot be loaded changes nothing
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void TheSelfSignedCertificateNamesEveryHostAndIsKept()
    {
        string folder = Directory.CreateTempSubdirectory("muster-test-").FullName;
        string[] hosts = ["example.org", "bücher.example"];
        var (certFile, keyFile) = SelfSignedCertificate.Ensure(folder, hosts, TimeProvider.System.GetUtcNow());
        byte[] before = File.ReadAllBytes(certFile);
        SelfSignedCertificate.Ensure(folder, ["example.org"], TimeProvider.System.GetUtcNow());
        Assert.Equal(before, File.ReadAllBytes(certFile));
        using var certificate = X509Certificate2.CreateFromPemFile(certFile, keyFile);
        Assert.True(certificate.MatchesHostname("example.org"));
        Assert.True(certificate.MatchesHostname("xn--bcher-kva.example"));
        Assert.True(certificate.MatchesHostname("localhost"));
        Assert.True(certificate.MatchesHostname("127.0.0.1"));
        Assert.Equal("1.2.840.10045.4.3.2", certificate.SignatureAlgorithm.Value); // ECDSA with SHA-256
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keyFile));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Logs romeo in with SCRAM-SHA-256-PLUS; what the server says in the end.</summary>
    static async Task<Element> LoginAsync(TestClient client, byte[] binding, bool extensible)
    {
        const string Gs2 = "p=tls-server-end-point,,", First = "n=romeo,r=client-nonce";
        string message = Convert.ToBase64String(ScramClient.Utf8(Gs2 + First));
        string ns = extensible ? Namespaces.Sasl2 : Namespaces.Sasl;
        await client.SendAsync(extensible
            ? $"<authenticate xmlns='{ns}' mechanism='SCRAM-SHA-256-PLUS'><initial-response>{message}" +
                "</initial-response></authenticate>"
            : $"<auth xmlns='{ns}' mechanism='SCRAM-SHA-256-PLUS'>{message}</auth>");
        string challenge = Encoding.UTF8.GetString(Convert.FromBase64String((await client.ReceiveAsync()).Text));
        byte[] bound = [.. ScramClient.Utf8(Gs2), .. binding];
        byte[] final = ScramClient.Final(ScramHash.Sha256, "romeo", First, challenge, bound);
        await client.SendAsync($"<response xmlns='{ns}'>{Convert.ToBase64String(final)}</response>");
        return await client.ReceiveAsync();
    }

    static async Task AskForTlsAsync(Stream stream)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes("<stream:stream to='localhost' version='1.0' " +
            "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>" + StartTls));
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains("<proceed", StringComparison.Ordinal))
        {
            int count = await stream.ReadAsync(buffer).AsTask().WaitAsync(TestClient.Patience);
            Assert.NotEqual(0, count);
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
    }
}
