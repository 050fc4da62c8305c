using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using static Muster.Tests.Sasl.ScramClient;

namespace Muster.Tests.Sasl;

/// <summary>Changed messages in every state: an exchange never throws, and never succeeds without the
/// password.</summary>
public class SaslFuzzTests
{
    const int Rounds = 3000;
    static readonly ScramSecret Secret = ScramSecret.Derive(ScramHash.Sha1, "pencil", new byte[16], 4096)!;
    static readonly SaslInputs Inputs = new("nonce+nonce+nonce+nonce", new byte[32], 4096);

    static readonly SaslOffer Offer = new(Jid.Parse("example.org"), SaslMechanism.All, new SaslConnection
    {
        Encrypted = true,
        ChannelBinding = new byte[32],
        CertificateAddresses = [Jid.Parse("user@example.org")],
    });

    static SaslExchange Begin(string mechanism) => Offer.Begin(mechanism, Inputs, out _)!;

    static byte[] Mutate(Random random, byte[] message)
    {
        const string Alphabet = "nyp=,amrcsive\0 AZaz09+/\u007f";
        var bytes = message.ToList();
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            int at = random.Next(bytes.Count + 1);
            byte b = random.Next(4) == 0 ? (byte)random.Next(256) : (byte)Alphabet[random.Next(Alphabet.Length)];
            switch (random.Next(4))
            {
                case 0: bytes.Insert(at, b); break;
                case 1 when at < bytes.Count: bytes[at] = b; break;
                case 2 when at < bytes.Count: bytes.RemoveRange(at, random.Next(bytes.Count - at + 1)); break;
                default: bytes.InsertRange(at, bytes[random.Next(at + 1)..at]); break;
            }
        }
        return [.. bytes];
    }

    [Theory]
    [InlineData("SCRAM-SHA-1", "n,a=user@example.org,n=user,r=abc")]
    [InlineData("SCRAM-SHA-1-PLUS", "p=tls-server-end-point,,n=us=2Cer,r=abc,x=1")]
    public void First_messages(string mechanism, string first)
    {
        var random = new Random(1);
        int accepted = 0;
        for (int i = 0; i < Rounds; i++)
        {
            var step = Begin(mechanism).Start(Mutate(random, Utf8(first)));
            if (step is SaslStep.NeedSecret) accepted++;
            else Assert.IsType<SaslStep.Failure>(step);
        }
        // The messages are near enough to right ones to get through at times.
        Assert.InRange(accepted, 1, Rounds - 1);
    }

    [Fact]
    public void Final_messages()
    {
        var random = new Random(2);
        var first = Begin("SCRAM-SHA-1");
        first.Start(Utf8("n,,n=user,r=abc"));
        var challenge = (SaslStep.Challenge)first.Supply(Secret);
        byte[] right = Final(
            ScramHash.Sha1, "pencil", "n=user,r=abc", System.Text.Encoding.UTF8.GetString(challenge.Data), Utf8("n,,"));
        for (int i = 0; i < Rounds; i++)
        {
            var exchange = Begin("SCRAM-SHA-1");
            exchange.Start(Utf8("n,,n=user,r=abc"));
            exchange.Supply(Secret);
            byte[] changed = Mutate(random, right);
            var step = exchange.Continue(changed);
            Assert.Equal(changed.AsSpan().SequenceEqual(right), step is SaslStep.Success);
        }
    }

    [Theory]
    [InlineData("PLAIN", "\0user\0pencil")]
    [InlineData("EXTERNAL", "user@example.org")]
    public void Other_mechanisms(string mechanism, string message)
    {
        var random = new Random(3);
        for (int i = 0; i < Rounds; i++)
        {
            var step = Begin(mechanism).Start(Mutate(random, Utf8(message)));
            if (step is SaslStep.Success success) Assert.Equal("user@example.org", success.User.ToString());
            else Assert.True(step is SaslStep.Failure or SaslStep.NeedSecret);
        }
    }
}
