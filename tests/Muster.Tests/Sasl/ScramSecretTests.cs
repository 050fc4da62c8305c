using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;

namespace Muster.Tests.Sasl;

public class ScramSecretTests
{
    static readonly byte[] Salt = Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==");

    // Keys of the examples of RFC 5802 §5 and RFC 7677 §3, computed with Python's hashlib.
    [Theory]
    [InlineData(ScramHash.Sha1, "QSXCR+Q6sek8bf92",
        "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=")]
    [InlineData(ScramHash.Sha256, "W22ZaJ0SNY7soEsUEjb6gQ==", "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==" +
        "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")]
    public void The_stored_form_is_fixed(ScramHash hash, string salt, string stored)
    {
        var secret = ScramSecret.Derive(hash, "pencil", Convert.FromBase64String(salt), 4096)!;
        Assert.Equal(stored, secret.ToStorage());
        Assert.True(ScramSecret.TryParse(stored, out var read));
        Assert.Equal(stored, read.ToStorage());
        Assert.True(read.Verify("pencil"));
        Assert.False(read.Verify("Pencil"));
        Assert.False(read.Verify(""));
        Assert.False(read.Verify("pencil "));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("pencil")]
    [InlineData("SCRAM-SHA-512$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=")]
    [InlineData("SCRAM-SHA-256$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=")]
    [InlineData("SCRAM-SHA-1$4095:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=")]
    [InlineData("SCRAM-SHA-1$1000001:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=")]
    [InlineData("SCRAM-SHA-1$-4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=")]
    [InlineData("SCRAM-SHA-1$4096:QSXC$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=")]
    [InlineData("SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=")]
    [InlineData("SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=$")]
    [InlineData("SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y:D+CSWLOshSulAsxiupA+qs2/fTE=")]
    public void Other_texts_are_no_secrets(string? text) => Assert.False(ScramSecret.TryParse(text, out _));

    [Theory]
    [InlineData(4095, 16)]
    [InlineData(1_000_001, 16)]
    [InlineData(4096, 7)]
    [InlineData(4096, 129)]
    public void Salt_and_cost_have_bounds(int iterations, int saltBytes) => Assert.Throws<ArgumentException>(
        () => ScramSecret.Derive(ScramHash.Sha256, "pencil", new byte[saltBytes], iterations));

    [Fact]
    public void Parts_of_the_wrong_size_make_no_secret()
    {
        Assert.NotNull(ScramSecret.Create(ScramHash.Sha1, Salt, 4096, new byte[20], new byte[20]));
        Assert.Null(ScramSecret.Create(ScramHash.Sha1, Salt, 4096, new byte[32], new byte[20]));
        Assert.Null(ScramSecret.Create(ScramHash.Sha256, Salt, 4096, new byte[32], new byte[20]));
        Assert.Null(ScramSecret.Create((ScramHash)9, Salt, 4096, new byte[32], new byte[32]));
    }

    [Theory] // RFC 8265 §4.2 and its examples in §4.3
    [InlineData("")]
    [InlineData("pen\ncil")]
    [InlineData("pen\0cil")]
    [InlineData("my cat is a \tby")]
    [InlineData("pen\u00adcil")] // invisible
    public void Passwords_that_cannot_be_typed_twice_alike_are_refused(string password)
    {
        Assert.Null(ScramSecret.Derive(ScramHash.Sha1, password, Salt, 4096));
        Assert.False(ScramSecret.Derive(ScramHash.Sha1, "pencil", Salt, 4096)!.Verify(password));
    }

    [Fact]
    public void A_password_has_a_bound_and_is_unicode()
    {
        Assert.NotNull(ScramSecret.Derive(ScramHash.Sha1, new string('a', 1023), Salt, 4096));
        Assert.Null(ScramSecret.Derive(ScramHash.Sha1, new string('a', 1024), Salt, 4096));
        Assert.Null(ScramSecret.Derive(ScramHash.Sha1, "half a surrogate pair: \ud800", Salt, 4096));
    }

    [Theory]
    [InlineData("correct horse battery staple", "correct horse battery staple")]
    [InlineData("correct horse battery staple", "correct\u00a0horse\u3000battery\u2003staple")] // any space
    [InlineData("p\u00e4ss", "pa\u0308ss")] // composed and decomposed
    [InlineData("\U0001f600!", "\U0001f600!")]
    public void A_password_typed_on_another_keyboard_is_the_same(string password, string typed)
    {
        Assert.True(ScramSecret.Derive(ScramHash.Sha1, password, Salt, 4096)!.Verify(typed));
        Assert.True(ScramSecret.Derive(ScramHash.Sha1, typed, Salt, 4096)!.Verify(password));
        Assert.False(ScramSecret.Derive(ScramHash.Sha1, password, Salt, 4096)!.Verify(typed.ToUpperInvariant() + "x"));
    }

    [Fact]
    public void A_fake_secret_is_steady_and_differs_by_user_hash_and_server()
    {
        byte[] pepper = [1, 2, 3], otherPepper = [1, 2, 4];
        var user = Jid.Parse("nobody@example.org");
        string fake = ScramSecret.Fake(ScramHash.Sha256, user, pepper, 10_000).ToStorage();
        Assert.Equal(fake, ScramSecret.Fake(ScramHash.Sha256, user, pepper, 10_000).ToStorage());
        string[] others =
        [
            ScramSecret.Fake(ScramHash.Sha256, user, otherPepper, 10_000).ToStorage(),
            ScramSecret.Fake(ScramHash.Sha256, Jid.Parse("nobody@example.net"), pepper, 10_000).ToStorage(),
            ScramSecret.Fake(ScramHash.Sha1, user, pepper, 10_000).ToStorage(),
        ];
        Assert.Equal(4, others.Append(fake).Select(s => s.Split('$')[1]).Distinct().Count());
        Assert.All(others.Append(fake), s => Assert.True(ScramSecret.TryParse(s, out _)));
    }

    [Fact]
    public void Keys_do_not_show_in_logs()
    {
        var secret = ScramSecret.Derive(ScramHash.Sha256, "pencil", Salt)!;
        Assert.Equal("SCRAM-SHA-256, 10000 iterations", secret.ToString());
        Assert.Equal(ScramSecret.IterationsDefault, secret.Iterations);
    }
}
