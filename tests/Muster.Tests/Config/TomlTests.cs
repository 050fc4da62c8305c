using System.Globalization;
using System.Text;
using Muster.Server.Config;

namespace Muster.Tests.Config;

/// <summary>TOML 1.0.0 section by section: what is valid and what it means, what is not and where the complaint
/// points.</summary>
public sealed class TomlTests
{
    // What each document means, in a form that is easy to compare: JSON-like, moments as given, floats with a point.
    [Theory]
    // Comment, key/value pair
    [InlineData("", "{}")]
    [InlineData("# alone", "{}")]
    [InlineData("a = 1 # tail\r\nb=2", "{a:1,b:2}")]
    [InlineData("\uFEFFa = 1", "{a:1}")]
    // Keys
    [InlineData("1234 = 1\nbare-key_2 = 2", "{1234:1,bare-key_2:2}")]
    [InlineData("\"\" = 0\n'quoted \"key\"' = 1\n\"ʎǝʞ\" = 2", "{:0,quoted \"key\":1,ʎǝʞ:2}")]
    [InlineData("a . \"b.c\" . d = 1\na.e = 2", "{a:{b.c:{d:1},e:2}}")]
    [InlineData("3.14 = 'pi'", "{3:{14:'pi'}}")]
    [InlineData("apple.type = 1\norange.type = 2\napple.skin = 3", "{apple:{type:1,skin:3},orange:{type:2}}")]
    // Strings
    [InlineData("""a = "\b\t\n\f\r\"\\\u00e9\U0001F600" """, "{a:'\b\t\n\f\r\"\\é😀'}")]
    [InlineData("a = \"\"\"\nfirst\r\nsecond \\\n\n   third\"\"\"", "{a:'first\nsecond third'}")]
    [InlineData("a = \"\"\"\"two\"\" inside\"\"\"\"\"", "{a:'\"two\"\" inside\"\"'}")]
    [InlineData("a = 'C:\\no\\escape'", "{a:'C:\\no\\escape'}")]
    [InlineData("a = '''\nit''s\n'quoted' \\'''''", "{a:'it''s\n'quoted' \\'''}")]
    [InlineData("a = \"\"\nb = ''\nc = \"\"\"\"\"\"\nd = ''''''", "{a:'',b:'',c:'',d:''}")]
    // Integer
    [InlineData("a = +99\nb = -0\nc = 1_000\nd = 9223372036854775807\ne = -9223372036854775808",
        "{a:99,b:0,c:1000,d:9223372036854775807,e:-9223372036854775808}")]
    [InlineData("a = 0xDEAD_beef\nb = 0o755\nc = 0b1101\nd = 0x00", "{a:3735928559,b:493,c:13,d:0}")]
    // Float
    [InlineData("a = 1.0\nb = -0.25\nc = 5e+2\nd = 6.6E-2\ne = 1_0.0_1\nf = 1e06",
        "{a:1.0,b:-0.25,c:500.0,d:0.066,e:10.01,f:1000000.0}")]
    [InlineData("a = inf\nb = -inf\nc = nan\nd = +nan", "{a:Infinity.0,b:-Infinity.0,c:NaN.0,d:NaN.0}")]
    // Boolean
    [InlineData("a = true\nb = false", "{a:true,b:false}")]
    // Dates and times
    [InlineData("a = 1979-05-27T07:32:00Z\nb = 1979-05-27 00:32:00.999999-07:00",
        "{a:1979-05-27|07:32:00|00:00:00,b:1979-05-27|00:32:00.9999990|-07:00:00}")]
    [InlineData("a = 1979-05-27t07:32:00.5\nb = 1979-05-27\nc = 23:59:59.1234567899",
        "{a:1979-05-27|07:32:00.5000000|,b:1979-05-27||,c:|23:59:59.1234567|}")]
    [InlineData("a = 2024-02-29\nb = 2026-01-01T00:00:00+23:59", "{a:2024-02-29||,b:2026-01-01|00:00:00|23:59:00}")]
    // Array
    [InlineData("a = [ ]\nb = [1, 'x', [2.0, {y = 1}]]\nc = [\n 1, # one\n\n 2,\n]",
        "{a:[],b:[1,'x',[2.0,{y:1}]],c:[1,2]}")]
    // Table
    [InlineData("[a]\nx = 1\n[ b . 'c' ]\ny = 2\n[b]\nz = 3", "{a:{x:1},b:{c:{y:2},z:3}}")]
    [InlineData("[fruit]\napple.color = 1\napple.taste.sweet = true\n[fruit.apple.texture]\nsmooth = true",
        "{fruit:{apple:{color:1,taste:{sweet:true},texture:{smooth:true}}}}")]
    [InlineData("[x.y.z.w]\n[x]", "{x:{y:{z:{w:{}}}}}")]
    // Inline table
    [InlineData("a = {}\nb = { x = 1, y.z = 2, y.w = {} }", "{a:{},b:{x:1,y:{z:2,w:{}}}}")]
    // Array of tables
    [InlineData("[[a]]\nn=1\n[[a]]\n[[a]]\nn=3", "{a:[{n:1},{},{n:3}]}")]
    [InlineData("[[f]]\nn=1\n[f.p]\nc=1\n[[f.v]]\nm=1\n[[f.v]]\nm=2\n[[f]]\n[[f.v]]\nm=3",
        "{f:[{n:1,p:{c:1},v:[{m:1},{m:2}]},{v:[{m:3}]}]}")]
    // The notation of mod_muc's documentation: a dotted table that a header below it adds to.
    [InlineData("[m]\nd.p = true\n[[m.d.a]]\nu = 1\n[[m.d.a]]\nu = 2", "{m:{d:{p:true,a:[{u:1},{u:2}]}}}")]
    public void Valid(string document, string meaning) =>
        Assert.Equal(meaning, Show(Toml.Parse(Encoding.UTF8.GetBytes(document), "t").Root));

    [Theory]
    // Comment, key/value pair
    [InlineData("# bell \u0007", 1, 8, "control character")]
    [InlineData("a = 1\rb = 2", 1, 6, "carriage return")]
    [InlineData("a =", 1, 4, "missing")]
    [InlineData("a", 1, 2, "'='")]
    [InlineData("a = 1 b = 2", 1, 7, "line of its own")]
    [InlineData("= 1", 1, 1, "key")]
    // Keys
    [InlineData("a. = 1", 1, 4, "key")]
    [InlineData(".a = 1", 1, 1, "key")]
    [InlineData("naïve = 1", 1, 3, "quote the key")]
    [InlineData("\"\"\"k\"\"\" = 1", 1, 3, "'='")]
    [InlineData("x = 0\na = 1\n  a = 2", 3, 3, "line 2")]
    [InlineData("a = 1\na.b = 2", 2, 1, "cannot have keys")]
    [InlineData("a.b = 1\na.b.c = 2", 2, 3, "cannot have keys")]
    // Strings
    [InlineData("a = \"open\nb = 1", 1, 5, "not closed")]
    [InlineData("a = 'open", 1, 5, "not closed")]
    [InlineData("a = \"\"\"open\n", 1, 5, "not closed")]
    [InlineData("a = '''open''", 1, 5, "not closed")]
    [InlineData("""a = "😀\q" """, 1, 7, "no escape")]
    [InlineData("""a = "\e" """, 1, 6, "no escape")]
    [InlineData("""a = "\u12" """, 1, 6, "4 hexadecimal")]
    [InlineData("""a = "\uD800" """, 1, 6, "no Unicode")]
    [InlineData("""a = "\UFFFFFFFF" """, 1, 6, "no Unicode")]
    [InlineData("a = \"\u0000\"", 1, 6, "control")]
    [InlineData("a = '''\u007F'''", 1, 8, "control")]
    [InlineData("a = \"\"\"six\"\"\"\"\"\"", 1, 16, "line of its own")]
    // Integer
    [InlineData("a = 01", 1, 5, "number")]
    [InlineData("a = 1__0", 1, 5, "number")]
    [InlineData("a = _1", 1, 5, "number")]
    [InlineData("a = 1_", 1, 5, "number")]
    [InlineData("a = +0x1", 1, 5, "number")]
    [InlineData("a = 0xG", 1, 5, "number")]
    [InlineData("a = 0b2", 1, 5, "number")]
    [InlineData("a = 9223372036854775808", 1, 5, "64 bits")]
    [InlineData("a = 0x8000000000000000", 1, 5, "64 bits")]
    // Float
    [InlineData("a = 1.", 1, 5, "number")]
    [InlineData("a = .5", 1, 5, "number")]
    [InlineData("a = 1e", 1, 5, "number")]
    [InlineData("a = 1.e5", 1, 5, "number")]
    [InlineData("a = 03.14", 1, 5, "number")]
    [InlineData("a = Inf", 1, 5, "quote strings")]
    // Boolean and bare words
    [InlineData("a = True", 1, 5, "true and false")]
    [InlineData("a = yes", 1, 5, "true and false")]
    // Dates and times
    [InlineData("a = 2023-02-29", 1, 5, "date")]
    [InlineData("a = 2026-13-01", 1, 5, "date")]
    [InlineData("a = 24:00:00", 1, 5, "time")]
    [InlineData("a = 12:00", 1, 5, "time")]
    [InlineData("a = 2026-01-01T00:00:00+24:00", 1, 5, "time")]
    [InlineData("a = 2026-01-01T", 1, 5, "time")]
    [InlineData("a = 2026-1-1", 1, 5, "date")]
    [InlineData("a = 12:00:00.", 1, 5, "time")]
    // Array
    [InlineData("a = [1 2]", 1, 8, "','")]
    [InlineData("a = [1,\n2", 1, 5, "not closed")]
    [InlineData("a = [,]", 1, 6, "value")]
    // Table
    [InlineData("[a]\n[a]", 2, 2, "already set")]
    [InlineData("[a]\nb = 1\n[a.b]", 3, 4, "already set")]
    [InlineData("[a]\nb.c = 1\n[a.b]", 3, 4, "already set")]
    [InlineData("[a.b.c]\nz = 9\n[a]\nb.c.t = 1", 4, 1, "cannot add")]
    [InlineData("[]", 1, 2, "key")]
    [InlineData("[a", 1, 3, "']'")]
    [InlineData("[a] b = 1", 1, 5, "line of its own")]
    [InlineData("[[a] ]", 1, 4, "']]'")]
    // Inline table
    [InlineData("a = {b = 1,}", 1, 12, "comma")]
    [InlineData("a = {b = 1\n}", 1, 11, "one line")]
    [InlineData("a = {}\na.b = 1", 2, 1, "cannot add")]
    [InlineData("a = {}\n[a.b]", 2, 2, "cannot add")]
    [InlineData("a = {b.c = 1}\n[a.b.d]", 2, 2, "cannot add")]
    [InlineData("a = {b = 1, b = 2}", 1, 13, "already set")]
    [InlineData("a = {b = {c = 1}, b.d = 2}", 1, 19, "cannot add")]
    // Array of tables
    [InlineData("a = []\n[[a]]", 2, 3, "already set")]
    [InlineData("a = [{b = 1}]\n[a.c]", 2, 2, "cannot add")]
    [InlineData("[[a]]\n[a]", 2, 2, "already set")]
    [InlineData("[a]\n[[a]]", 2, 3, "already set")]
    [InlineData("[[a.b]]\n[a]\nb.y = 2", 3, 1, "cannot have keys")]
    public void Invalid(string document, int line, int column, string says)
    {
        var error = Assert.Throws<TomlError>(() => Toml.Parse(document, "dir/t.toml"));
        Assert.Equal((line, column), (error.Line, error.Column));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"dir/t.toml:{line}:{column}: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'a', (byte)'=', (byte)'"', 0xC3, (byte)'"' }, 4)]
    [InlineData(new byte[] { 0xFF, 0xFE, (byte)'a', 0 }, 1)]
    [InlineData(new byte[] { (byte)'#', 0xED, 0xA0, 0x80 }, 2)]
    public void Bytes_that_are_no_utf8_are_refused_with_their_place(byte[] bytes, int column)
    {
        var error = Assert.Throws<TomlError>(() => Toml.Parse(bytes, "t"));
        Assert.Equal((1, column), (error.Line, error.Column));
        Assert.Contains("UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_and_keys_know_their_place()
    {
        var document = Toml.Parse("# c\n[t]\n  'k😀' = [1,\n   \"v\"]\n", "t");
        var table = (TomlTable)document.Root.Find("t")!.Value;
        var (_, key, value) = table.Find("k😀")!;
        Assert.Equal((3, 3), document.At(key));
        Assert.Equal((3, 10), document.At(value.Offset));
        Assert.Equal((4, 4), document.At(((TomlArray)value).Items[1].Offset));
    }

    [Theory]
    [InlineData("a = ", "[", "]")]
    [InlineData("a = ", "{a=", "}")]
    public void Nesting_is_bounded(string head, string open, string close)
    {
        string Nest(int depth) => head + string.Concat(Enumerable.Repeat(open, depth)) + (open == "[" ? "" : "1")
            + string.Concat(Enumerable.Repeat(close, depth));
        Toml.Parse(Nest(Toml.DepthMax), "t");
        Assert.Contains("nested", Assert.Throws<TomlError>(() => Toml.Parse(Nest(Toml.DepthMax + 1), "t")).Message,
            StringComparison.Ordinal);
        Assert.Throws<TomlError>(() => Toml.Parse(head + string.Concat(Enumerable.Repeat(open, 500_000)), "t"));
    }

    [Fact]
    public void A_file_that_is_too_large_is_refused_unread() =>
        Assert.Contains("larger", Assert.Throws<TomlError>(() => Toml.Parse(new byte[Toml.BytesMax + 1], "t")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Long_words_are_cut_in_messages() =>
        Assert.InRange(Assert.Throws<TomlError>(() =>
            Toml.Parse("a = 1" + new string('_', 100_000), "t")).Message.Length, 1, 300);

    static string Show(TomlValue value) => value switch
    {
        TomlTable t => "{" + string.Join(",", t.Entries.Select(e => $"{e.Key}:{Show(e.Value)}")) + "}",
        TomlArray a => "[" + string.Join(",", a.Items.Select(Show)) + "]",
        TomlText s => $"'{s.Value}'",
        TomlFloat f => f.Value.ToString("0.0##########", CultureInfo.InvariantCulture) is var text
            && double.IsFinite(f.Value) ? text : text + ".0",
        TomlMoment m => string.Join('|',
            m.Date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), m.Time?.ToTimeSpan().ToString("c"),
            m.Zone?.ToString("c")),
        _ => value.Description,
    };
}
