using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>Two whole servers inside TLS, with certificates good and bad.</summary>
public sealed class FederationTlsTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("muster-test-").FullName;
    readonly TestAuthority _authority;
    readonly PeerWorld _world = new();

    public FederationTlsTests() => _authority = new TestAuthority(_folder);

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    string Rules(string tls = "required") => $"""
        [s2s]
          use_starttls = "{tls}"
          cacertfile = '{_authority.RootFile}'
        """;

    Task<TestServer> ServeAsync(string domain, string tls = "required", string? certificate = null, string mode = "") =>
        _world.ServeAsync(domain, Rules(tls),
            $"{mode}{certificate ?? _authority.IssueAsToml([domain, $"conference.{domain}"])}");

    /// <summary>Romeo of verona.test writes to Juliet of mantua.test; what comes of it.</summary>
    static async Task<string> WriteAsync(TestServer verona, TestServer mantua)
    {
        var romeo = await verona.LoginAsync("romeo@verona.test");
        var juliet = await mantua.LoginAsync("juliet@mantua.test");
        await romeo.SendAsync("<message to='juliet@mantua.test/test' id='m1'><body>hello</body></message>");
        var arrived = juliet.ReceiveAsync();
        var returned = romeo.ReceiveAsync();
        var first = await (await Task.WhenAny(arrived, returned));
        return first.Attribute("type") == "error" ? first.Child("error")!.FirstElement!.Name : "arrived";
    }

    static IEnumerable<string> Proofs(TestServer server) =>
        server.Logs.Lines.Where(line => line.Id.Id == 7002).Select(line => line.Text.Split("proved by ")[1]);

    [Fact]
    [Spec("XEP-0178", "3")]
    public async Task CertificatesProveBothSides()
    {
        await using var verona = await ServeAsync("verona.test", "required_trusted");
        await using var mantua = await ServeAsync("mantua.test", "required_trusted");
        Assert.Equal("arrived", await WriteAsync(verona, mantua));
        Assert.Equal(["EXTERNAL"], Proofs(mantua));
        Assert.Equal(["mantua.test"], _world.Dialed); // nobody had to be asked back
    }

    [Fact]
    [Spec("XEP-0368", "3")]
    public async Task TlsMayComeWithTheConnection()
    {
        await using var verona = await ServeAsync("verona.test", "required_trusted", mode: "tls.mode = 'tls'\n  ");
        await using var mantua = await ServeAsync("mantua.test", "required_trusted", mode: "tls.mode = 'tls'\n  ");
        Assert.Equal("arrived", await WriteAsync(verona, mantua));
        Assert.Equal(["EXTERNAL"], Proofs(mantua));
    }

    [Fact]
    public async Task CertificatesThatServersMadeThemselvesFallBackToDialback()
    {
        await using var verona = await ServeAsync("verona.test", certificate: "");
        await using var mantua = await ServeAsync("mantua.test", certificate: "");
        Assert.Equal("arrived", await WriteAsync(verona, mantua));
        Assert.Equal(["dialback"], Proofs(mantua));
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("another")]
    [InlineData("unknown")]
    public async Task ABadCertificateOfTheConnectingServerFallsBackToDialback(string kind)
    {
        using var stranger = new TestAuthority(_folder, "Stranger");
        await using var verona = await ServeAsync("verona.test", certificate: Bad(kind, "verona.test", stranger));
        await using var mantua = await ServeAsync("mantua.test");
        Assert.Equal("arrived", await WriteAsync(verona, mantua));
        Assert.Equal(["dialback"], Proofs(mantua));
    }

    [Theory]
    [Spec("RFC 6120", "13.7.2")]
    [InlineData("expired", "it has expired")]
    [InlineData("another", "it is for another domain")]
    [InlineData("unknown", "nobody who is trusted has signed it")]
    public async Task WhereTrustIsRequiredABadCertificateIsRefused(string kind, string problem)
    {
        using var stranger = new TestAuthority(_folder, "Stranger");
        await using var verona = await ServeAsync("verona.test", "required_trusted");
        await using var mantua = await ServeAsync("mantua.test", certificate: Bad(kind, "mantua.test", stranger));
        Assert.Equal("remote-server-timeout", await WriteAsync(verona, mantua));
        Assert.Contains(verona.Logs.Lines, line => line.Id.Id == 7005
            && line.Text.EndsWith($"its certificate is not accepted: {problem}", StringComparison.Ordinal));
    }

    [Fact]
    [Spec("XEP-0220", "2.5")]
    public async Task WhereTrustIsRequiredDialbackIsNoProof()
    {
        using var stranger = new TestAuthority(_folder, "Stranger");
        await using var verona = await ServeAsync("verona.test", certificate: Bad("unknown", "verona.test", stranger));
        await using var mantua = await ServeAsync("mantua.test", "required_trusted");
        Assert.Equal("remote-server-timeout", await WriteAsync(verona, mantua));
        Assert.Contains(mantua.Logs.Lines, line => line.Id.Id == 7005
            && line.Text.Contains("a trusted certificate is required", StringComparison.Ordinal));
        Assert.Empty(Proofs(mantua));
    }

    [Fact]
    public async Task OneServerMayBeHeldToMoreThanOthers()
    {
        await using var verona = await _world.ServeAsync("verona.test", Rules() + """

              [[s2s.host_policy]]
                host = "mantua.test"
                policy = "allow"
                use_starttls = "required_trusted"
            """, _authority.IssueAsToml(["verona.test"]));
        await using var mantua = await ServeAsync("mantua.test", certificate: "");
        Assert.Equal("remote-server-timeout", await WriteAsync(verona, mantua));
    }

    string Bad(string kind, string domain, TestAuthority stranger) => kind switch
    {
        "expired" => _authority.IssueAsToml([domain], new DateTimeOffset(2025, 12, 31, 0, 0, 0, TimeSpan.Zero)),
        "another" => _authority.IssueAsToml(["another.test"]),
        _ => stranger.IssueAsToml([domain]),
    };
}
