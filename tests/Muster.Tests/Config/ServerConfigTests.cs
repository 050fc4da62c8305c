using System.Net;
using Muster.Server.Config;

namespace Muster.Tests.Config;

public sealed class ServerConfigTests
{
    [Fact]
    public void Without_a_file_localhost_is_served_on_loopback()
    {
        var config = ServerConfig.Default;
        Assert.Equal(["localhost"], config.General.Hosts);
        Assert.Equal("localhost", config.DefaultDomain);
        Assert.Equal([5222, 5269, 5280], config.Listen.All.Select(l => l.Port));
        Assert.All(config.Listen.All, l => Assert.True(IPAddress.IsLoopback(l.IpAddress)));
        Assert.Equal(TlsMode.StartTls, config.Listen.C2s[0].Tls.Mode);
        Assert.Equal(StorageBackend.Sqlite, config.Storage.Backend);
        Assert.Equal(5, config.Auth.Methods.Count);
        Assert.False(config.Registration.InBand);
    }

    [Theory]
    [InlineData("[general]\nhost = ['a']", "muster.toml:2:1: general.host: unknown key; did you mean 'hosts'?")]
    [InlineData("[genral]", "muster.toml:1:2: genral: unknown key; did you mean 'general'?")]
    [InlineData("[[listen.c2s]]\ntls.certifle = 'x'",
        "muster.toml:2:5: listen.c2s[0].tls.certifle: unknown key; did you mean 'certfile'?")]
    [InlineData("[general]\nhosts = []", "muster.toml:2:9: general.hosts: must be a non-empty array of domain " +
        "names, not an array")]
    [InlineData("[[listen.c2s]]\nport = 65536",
        "muster.toml:2:8: listen.c2s[0].port: must be a whole number from 0 to 65535, not 65536")]
    [InlineData("[[listen.c2s]]\nip_address = '1'",
        "muster.toml:2:14: listen.c2s[0].ip_address: must be an IP address, not the string \"1\"")]
    [InlineData("[storage]\nbackend = 'oracle'", "muster.toml:2:11: storage.backend: must be one of \"sqlite\", " +
        "\"postgres\", \"memory\", not the string \"oracle\"")]
    [InlineData("storage = 1", "muster.toml:1:11: storage: must be a table, not 1")]
    [InlineData("[listen]\nc2s = 1", "muster.toml:2:7: listen.c2s: must be an array of tables ([[listen.c2s]]), not 1")]
    [InlineData("[[listen.component]]\nport = 1",
        "muster.toml:1:1: listen.component[0].password: is missing; it must be a non-empty string")]
    [InlineData("[general]\nhosts = ['a.org']\ndefault_server_domain = 'b.org'", "muster.toml:3:1: " +
        "general.default_server_domain: 'b.org' is not in general.hosts; add it there, or did you mean 'a.org'?")]
    [InlineData("[storage]\nbackend = 'postgres'", "muster.toml:2:1: storage.backend: \"postgres\" needs " +
        "storage.connection, such as \"Host=127.0.0.1;Username=muster;Database=muster\"")]
    [InlineData("a = ", "muster.toml:1:5: a value is missing here")]
    public void A_mistake_is_one_line_with_place_key_and_remedy(string toml, string problem)
    {
        var (config, problems) = ConfigCheck.Parse(toml);
        Assert.Null(config);
        Assert.Equal(problem, Assert.Single(problems, p => p.IsError).ToString());
    }
}
