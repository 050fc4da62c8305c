using Muster.Protocol.Sasl;

namespace Muster.Tests.Sasl;

public class ProvedPasswordsTests
{
    static readonly byte[] Salt = new byte[ScramSecret.SaltBytes];

    static ScramSecret SecretOf(string password, ScramHash hash = ScramHash.Sha256) =>
        ScramSecret.Derive(hash, password, Salt, ScramSecret.IterationsMin)!;

    [Fact]
    public void Only_the_right_password_is_remembered_and_a_new_one_forgets_it()
    {
        var proved = new ProvedPasswords("key"u8.ToArray(), 10);
        var secret = SecretOf("pencil");
        Assert.False(secret.Verify("Pencil", proved));
        Assert.Equal(0, proved.Count);
        Assert.True(secret.Verify("pencil", proved));
        Assert.True(secret.Verify("pencil", proved));
        Assert.Equal(1, proved.Count);
        Assert.False(secret.Verify("Pencil", proved));
        Assert.False(SecretOf("eraser").Verify("pencil", proved));
        Assert.False(SecretOf("eraser", ScramHash.Sha1).Verify("pencil", proved));
        Assert.Equal(1, proved.Count);
    }

    [Fact]
    public void What_was_proved_costs_no_iterations_again()
    {
        var proved = new ProvedPasswords("key"u8.ToArray(), 10);
        var costly = ScramSecret.Derive(ScramHash.Sha256, "pencil", Salt, ScramSecret.IterationsMax)!;
        long first = Time(() => Assert.True(costly.Verify("pencil", proved)));
        long second = Time(() => Assert.True(costly.Verify("pencil", proved)));
        Assert.True(second < first / 10, $"{first} and {second} ticks");

        static long Time(Action action)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            action();
            return System.Diagnostics.Stopwatch.GetTimestamp() - start;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void No_more_are_remembered_than_may_be(int max)
    {
        var proved = new ProvedPasswords("key"u8.ToArray(), max);
        foreach (string password in (string[])["one", "two", "three", "one"])
            Assert.True(SecretOf(password).Verify(password, proved));
        Assert.Equal(max, proved.Count);
    }
}
