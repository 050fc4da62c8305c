using System.Text;
using Muster.Server.Config;

namespace Muster.Tests.Config;

/// <summary>Whatever the bytes: a document or a TomlError, and soon.</summary>
public sealed class TomlFuzzTests
{
    const string Document = """"
        # a bit of everything
        title = "TOML \u00e9 \"x\"" # tail
        [owner]
        dob = 1979-05-27T07:32:00.25-08:00
        local = 1979-05-27 07:32:00
        a.b."c d" = 'lit'
        [[list.of]]
        n = [ 1, -2_000, 0xff, 0o7, 0b1, 1.5e-3, inf, nan, [ "x", { k = true, l.m = [ ] } ],
              07:32:00, 1979-05-27, ]
        [[list.of]]
        long = '''
        it's'''
        text = """one \
            two \t"""
        [list.of.sub]
        "" = false
        """";

    static readonly string[] Pieces =
        ["[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "\r\n", "\r", " ", "\t", "#", "\"", "\"\"\"", "'", "'''",
            "\\", "\\u00", "a", "b", "1", "-", "_", ":",
         "T", "Z", "+", "0x", "e", "inf", "true", "1979-05-27", "07:32:00", "é", "😀", "\uD800", "\0", "\u007F",
             "a = 1\n", "[a]\n", "[[a]]\n", "a.b = {}\n"];

    [Fact]
    public void A_document_cut_anywhere_is_read_or_refused()
    {
        var bytes = Encoding.UTF8.GetBytes(Document);
        Toml.Parse(bytes, "t");
        for (int i = 0; i < bytes.Length; i++)
        {
            Feed(bytes.AsSpan(0, i));
            Feed(bytes.AsSpan(i));
        }
    }

    [Fact]
    public void A_damaged_document_is_read_or_refused()
    {
        var random = new Random(20260131);
        for (int round = 0; round < 8_000; round++)
        {
            var bytes = Encoding.UTF8.GetBytes(Document);
            for (int n = random.Next(1, 6); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Feed(bytes);
        }
    }

    [Fact]
    public void Garbage_of_toml_pieces_is_read_or_refused()
    {
        var random = new Random(7);
        var text = new StringBuilder();
        for (int round = 0; round < 20_000; round++)
        {
            text.Clear();
            for (int n = random.Next(1, 30); n > 0; n--) text.Append(Pieces[random.Next(Pieces.Length)]);
            try
            {
                Toml.Parse(text.ToString(), "t");
            }
            catch (TomlError e)
            {
                Assert.InRange(e.Line, 1, 100);
                Assert.InRange(e.Column, 1, 500);
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    /// <summary>Inputs made to be slow: each is near the size limit and must still take no time worth naming.</summary>
    [Theory]
    [InlineData("a = [\n", "1, ")]
    [InlineData("a = [", "{b.c.d = 1}, ")]
    [InlineData("", "a.")]
    [InlineData("", "[a.b]\n")]
    [InlineData("", "[[a.b]]\n")]
    [InlineData("a = \"\"\"", "\\\n")]
    [InlineData("", "\r\n")]
    [InlineData("a = '''", "''\n")]
    public void Long_input_takes_linear_time(string head, string repeated)
    {
        string text = head + string.Concat(Enumerable.Repeat(repeated, 300_000 / repeated.Length));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Feed(Encoding.UTF8.GetBytes(text));
        Assert.InRange(clock.ElapsedMilliseconds, 0, 5000);
    }

    static void Feed(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Toml.Parse(bytes, "t");
        }
        catch (TomlError e)
        {
            Assert.True(e.Line >= 1 && e.Column >= 1);
        }
    }
}
