using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Protocol.Sasl;

namespace Muster.Tests.Sasl;

public class ChannelBindingTests
{
    static readonly RSA Rsa = RSA.Create(2048);
    static readonly ECDsa Ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    static byte[] Certificate(CertificateRequest request)
    {
        var start = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var certificate = request.CreateSelfSigned(start, start.AddYears(1));
        return certificate.RawData;
    }

    static HashAlgorithmName Hash(int bits) => new($"SHA{bits}");

    [Theory]
    [InlineData(256)]
    [InlineData(384)]
    [InlineData(512)]
    public void The_hash_is_that_of_the_signature(int bits)
    {
        foreach (byte[] der in new[]
        {
            Certificate(new("CN=a", Rsa, Hash(bits), RSASignaturePadding.Pkcs1)),
            Certificate(new("CN=a", Rsa, Hash(bits), RSASignaturePadding.Pss)),
            Certificate(new("CN=a", Ec, Hash(bits))),
        })
        {
            byte[] expected = CryptographicOperations.HashData(Hash(bits), der);
            Assert.Equal(expected, ChannelBinding.TlsServerEndPoint(der));
        }
    }

    // The outer shape of a certificate: an empty body, an algorithm, nothing else.
    [Theory]
    [InlineData("300B 3000 3007 0605 2B 0E 03 02 1A 0500", false)] // an object identifier that signs nothing
    [InlineData("3009 3000 3005 0603 2B6570", false)]                // Ed25519: no hash of its own
    [InlineData("3011 3000 300D 0609 2A864886F70D010105 0500", true)] // SHA-1 is replaced by SHA-256
    [InlineData("3011 3000 300D 0609 2A864886F70D010104 0500", true)] // MD5, too
    [InlineData("300F 3000 300B 0609 2A864886F70D01010A", true)]     // PSS without parameters: SHA-1, so SHA-256
    [InlineData("3011 3000 300D 0609 2A864886F70D01010A 3000", true)]
    [InlineData("", false)]
    [InlineData("3000", false)]
    [InlineData("30FF", false)]
    [InlineData("3003 3000 30", false)]
    public void The_signature_decides_whether_there_is_a_binding(string hex, bool defined)
    {
        byte[] der = Convert.FromHexString(hex.Replace(" ", ""));
        Assert.Equal(defined ? SHA256.HashData(der) : null, ChannelBinding.TlsServerEndPoint(der));
    }

    [Fact]
    public void The_type_is_advertised()
    {
        var feature = ChannelBinding.Advertisement();
        Assert.True(feature.Is("urn:xmpp:sasl-cb:0", "sasl-channel-binding"));
        Assert.Equal("tls-server-end-point", feature.Child("channel-binding")!.Attribute("type"));
    }
}
