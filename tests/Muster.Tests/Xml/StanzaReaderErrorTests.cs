using System.Buffers;
using System.Text;
using Muster.Protocol.Xml;
using static Muster.Tests.Xml.SplitReader;

namespace Muster.Tests.Xml;

/// <summary>What the reader refuses, with which condition, and how early. Every input is read in every way it can
/// arrive.</summary>
public sealed class StanzaReaderErrorTests
{
    /// <summary>Inputs inside an open stream that end with the byte at which the error must be found.</summary>
    public static TheoryData<string, string> Errors => new()
    {
        // Well-formedness (XML 1.0), found as soon as the token that breaks it is whole.
        { "<a><b></a>", "not-well-formed" },
        { "<a></A>", "not-well-formed" },
        { "<a></ a>", "not-well-formed" },
        { "<a></a b>", "not-well-formed" },
        { "<a></ab>", "not-well-formed" },
        { "<a></>", "not-well-formed" },
        { "<a></a<", "not-well-formed" },
        { "<p:a xmlns:p='u'></a>", "not-well-formed" },
        { "<p:a xmlns:p='u'><q:b xmlns:q='u'></p:b>", "not-well-formed" },
        { "</a>", "not-well-formed" },
        { "<>", "not-well-formed" },
        { "< a>", "not-well-formed" },
        { "<1a>", "not-well-formed" },
        { "<-a/>", "not-well-formed" },
        { "<a b>", "not-well-formed" },
        { "<a b=>", "not-well-formed" },
        { "<a b=c>", "not-well-formed" },
        { "<a b='c'd='e'>", "not-well-formed" },
        { "<a b='c' b='d'>", "not-well-formed" },
        { "<a b='c' b=\"c\"/>", "not-well-formed" },
        { "<a 1='c'>", "not-well-formed" },
        { "<a/b>", "not-well-formed" },
        { "<a / >", "not-well-formed" },
        { "<a b='<", "not-well-formed" },
        { "<a <", "not-well-formed" },
        { "<a b='&'>", "not-well-formed" },
        { "<a b='&lt'>", "not-well-formed" },
        { "<a b='\u0001'>", "not-well-formed" },
        { "<a b='\uFFFE'>", "not-well-formed" },
        { "<a>\u0000", "not-well-formed" },
        { "<a>text\u001F", "not-well-formed" },
        { "<a>\uFFFE", "not-well-formed" },
        { "<a>\uFFFF", "not-well-formed" },
        { "<a>x]]>", "not-well-formed" },
        { "<a>]]]>", "not-well-formed" },
        { "<a>& ", "not-well-formed" },
        { "<a>&;", "not-well-formed" },
        { "<a>&lt ", "not-well-formed" },
        { "<a>&1", "not-well-formed" },
        { "<a>&#;", "not-well-formed" },
        { "<a>&#x;", "not-well-formed" },
        { "<a>&#X", "not-well-formed" },
        { "<a>&#1a", "not-well-formed" },
        { "<a>&#0;", "not-well-formed" },
        { "<a>&#x1F;", "not-well-formed" },
        { "<a>&#xD800;", "not-well-formed" },
        { "<a>&#xFFFE;", "not-well-formed" },
        { "<a>&#x110000", "not-well-formed" },
        { "<a>&#9999999", "not-well-formed" },
        { "<a><![CDATA[\u0002", "not-well-formed" },
        { "<a><![c", "not-well-formed" },
        { "<a><!E", "not-well-formed" },
        { "<×a/>", "not-well-formed" },
        { "<a\u0001>", "not-well-formed" },
        // Namespaces in XML 1.0.
        { "<a:b:c>", "not-well-formed" },
        { "<:a>", "not-well-formed" },
        { "<a:>", "not-well-formed" },
        { "<a:1 xmlns:a='u'>", "not-well-formed" },
        { "<a xmlns:b=''>", "not-well-formed" },
        { "<a xmlns:xmlns='u'>", "not-well-formed" },
        { "<a xmlns:xml='u'>", "not-well-formed" },
        { "<a xmlns:b='http://www.w3.org/XML/1998/namespace'>", "not-well-formed" },
        { "<a xmlns='http://www.w3.org/XML/1998/namespace'>", "not-well-formed" },
        { "<a xmlns='http://www.w3.org/2000/xmlns/'>", "not-well-formed" },
        { "<a xmlns='u' xmlns='u'>", "not-well-formed" },
        { "<a xmlns:b='u' xmlns:b='u'>", "not-well-formed" },
        { "<a xmlns:b='u' xmlns:c='u' b:d='' c:d=''>", "not-well-formed" },
        { "<b:a>", "bad-namespace-prefix" },
        { "<a b:c='d'>", "bad-namespace-prefix" },
        { "<xmlns:a>", "bad-namespace-prefix" },
        { "<a xmlns:b='u'/><b:c>", "bad-namespace-prefix" },
        { "<a><b xmlns:c='u'></b><c:d/>", "bad-namespace-prefix" },
        // RFC 6120 §11.1.
        { "<!--", "restricted-xml" },
        { "<a><!--", "restricted-xml" },
        { "<!DOCTYPE", "restricted-xml" },
        { "<?", "restricted-xml" },
        { "<a><?", "restricted-xml" },
        { "<a>&nbsp;", "restricted-xml" },
        { "<a b='&ent;'>", "restricted-xml" },
        { "<a>&é;", "restricted-xml" },
        // RFC 6120 §11.7: nothing but white space between stanzas.
        { "x", "bad-format" },
        { "é", "bad-format" },
        { "<a/>&", "bad-format" },
        { "<![CDATA[", "bad-format" },
        { "\u0000", "not-well-formed" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Inside_a_stream(string input, string condition)
    {
        const string open = "<stream>";
        string[] texts = Texts(open + input);
        Assert.Equal("error " + condition, texts[^1]);
        Assert.DoesNotContain(texts[..^1], t => t.StartsWith("error", StringComparison.Ordinal));
        // Not later than at its last byte, and not before it either: the shorter input is only incomplete.
        Assert.DoesNotContain(Texts((open + input)[..^1]), t => t.StartsWith("error", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("x", "not-well-formed")]
    [InlineData("</a>", "not-well-formed")]
    [InlineData("&amp;", "not-well-formed")]
    [InlineData("<![CDATA[", "not-well-formed")]
    [InlineData("\u0016\u0003\u0001", "not-well-formed")] // a TLS client that did not wait
    [InlineData("GET / HTTP/1.1", "not-well-formed")]
    [InlineData("<!DOCTYPE a>", "restricted-xml")]
    [InlineData("<!-- -->", "restricted-xml")]
    [InlineData("<?php ?>", "restricted-xml")]
    [InlineData("<?xml-stylesheet ?>", "restricted-xml")]
    [InlineData(" <?xml version='1.0'?>", "restricted-xml")]
    [InlineData("<?xml version='1.0'?><?xml version='1.0'?>", "restricted-xml")]
    [InlineData("<?xml?>", "not-well-formed")]
    [InlineData("<?xml ?>", "not-well-formed")]
    [InlineData("<?xml version='2.0'?>", "not-well-formed")]
    [InlineData("<?xml version='1.'?>", "not-well-formed")]
    [InlineData("<?xml version='1.0'>", "not-well-formed")]
    [InlineData("<?xml version='1.0' encoding='UTF-8' version='1.0'?>", "not-well-formed")]
    [InlineData("<?xml version='1.0'encoding='UTF-8'?>", "not-well-formed")]
    [InlineData("<?xml version='1.0' encoding='-'?>", "not-well-formed")]
    [InlineData("<?xml version='1.0' encoding='UTF-8\"?>", "not-well-formed")]
    [InlineData("<?xml version='1.0' standalone='maybe'?>", "not-well-formed")]
    [InlineData("<?xml encoding='UTF-8'?>", "not-well-formed")]
    [InlineData("<?xml version='1.0' encoding='ISO-8859-1'?>", "unsupported-encoding")]
    [InlineData("<?xml version='1.0' encoding='UTF-16'?>", "unsupported-encoding")]
    public void At_the_start(string input, string condition)
    {
        Assert.Equal("error " + condition, Texts(input)[^1]);
        Assert.Equal("error " + condition, Texts(input, StanzaReaderMode.Document)[^1]);
    }

    [Theory]
    [InlineData("FF FE 3C 00")]
    [InlineData("FE FF 00 3C")]
    [InlineData("3C 00 61 00")]
    [InlineData("00 3C 00 61")]
    [InlineData("00 00 FE FF")]
    [InlineData("EF BB BF EF BB BF FF")]
    public void Other_encodings_at_the_start(string hex)
    {
        string condition = hex.StartsWith("EF", StringComparison.Ordinal) ? "not-well-formed" : "unsupported-encoding";
        byte[] input = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal("error " + condition, Read(input)[^1].Text);
    }

    // RFC 6120 §4.9.3.22: what breaks the rules of UTF-8 is unsupported-encoding. Each is put in all places where
    // characters stand.
    [Theory]
    [InlineData("80")] // a continuation alone
    [InlineData("C3 28")] // no continuation
    [InlineData("C0 AF")] // longer than needed
    [InlineData("E0 80 AF")]
    [InlineData("F0 80 80 AF")]
    [InlineData("ED A0 80")] // a surrogate
    [InlineData("ED A0 BD ED B8 80")] // a pair of them
    [InlineData("F4 90 80 80")] // beyond U+10FFFF
    [InlineData("F8 88 80 80 80")]
    [InlineData("EF 41")]
    [InlineData("EF BF 41")]
    [InlineData("EF BF")] // cut off
    [InlineData("F0 9F 98")]
    [InlineData("FF")]
    public void Bytes_that_are_not_UTF_8(string hex)
    {
        byte[] bad = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        foreach (var (before, after) in new[]
        {
            ("<s><a>text ", " text<"), ("<s><a>", "<b>"), ("<s><a>]", "]]"), ("<s><a><![CDATA[", "]]>"),
            ("<s><a b='", "'>"), ("<s><a b=\"&amp;", " \">"), ("<s><a xmlns='", "'>"),
            ("<s><a", "b>"), ("<s><a b", "='c'>"), ("<s>", " <a/>"), ("", " "),
        })
        {
            byte[] input = [.. Encoding.UTF8.GetBytes(before), .. bad, .. Encoding.UTF8.GetBytes(after)];
            string last = Read(input)[^1].Text;
            Assert.True(last == "error unsupported-encoding", $"{before} {hex} {after}: {last}");
        }
    }

    [Fact]
    public void The_error_has_a_text_for_people()
    {
        var reader = new StanzaReader(new XmlLimits());
        var input = new ReadOnlySequence<byte>("<s><a>&nbsp;"u8.ToArray());
        Assert.True(reader.TryRead(input, out var at, out _));
        Assert.True(reader.TryRead(input.Slice(at), out _, out var item));
        Assert.Equal(XmlItemKind.Error, item.Kind);
        Assert.Null(item.Element);
        Assert.False(string.IsNullOrEmpty(item.Error!.Text));
    }
}
