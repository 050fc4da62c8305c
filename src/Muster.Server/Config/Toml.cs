using System.Text;

namespace Muster.Server.Config;

/// <summary>A parsed document and the way from an offset in it to line and column.</summary>
sealed class TomlDocument(string file, string text, TomlTable root)
{
    public string File { get; } = file;
    public TomlTable Root { get; } = root;

    /// <summary>Line and column, both from 1; a column is a Unicode character, a tab counts as one.</summary>
    public (int Line, int Column) At(int offset) => Toml.Place(text, offset);
}

/// <summary>
/// Reads TOML 1.0.0 (https://toml.io/en/v1.0.0): all of it, since operators copy configuration from other documents and
/// editors check it by the standard.
/// </summary>
/// <remarks>Throws <see cref="TomlError"/> and nothing else, whatever the input; never reads more than <see
/// cref="BytesMax"/>.</remarks>
static class Toml
{
    /// <summary>No configuration comes near; a wrong file (a disk image, a log) is refused before it is read.</summary>
    public const int BytesMax = 4 * 1024 * 1024;

    /// <summary>Arrays and inline tables inside one another: the reader recurses.</summary>
    public const int DepthMax = 100;

    static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a document from its bytes.</summary>
    /// <param name="utf8">A TOML file must be UTF-8; a byte order mark at the start is passed over.</param>
    /// <param name="file">The name that errors carry.</param>
    public static TomlDocument Parse(ReadOnlySpan<byte> utf8, string file)
    {
        if (utf8.Length > BytesMax) throw new TomlError(
            file, 1, 1, $"the file is larger than {BytesMax} bytes; is it the right one?");
        if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        try
        {
            return Parse(Utf8.GetString(utf8), file);
        }
        catch (DecoderFallbackException e)
        {
            string before = Encoding.UTF8.GetString(utf8[..Math.Clamp(e.Index, 0, utf8.Length)]);
            var (line, column) = Place(before, before.Length);
            throw new TomlError(file, line, column, "this is not UTF-8; save the file in that encoding");
        }
    }

    /// <summary>Reads a document from text.</summary>
    public static TomlDocument Parse(string text, string file)
    {
        if (text.Length > BytesMax) throw new TomlError(file, 1, 1, $"the text is larger than {BytesMax} characters");
        return new TomlDocument(file, text, new TomlReader(text, file).ReadDocument());
    }

    internal static (int Line, int Column) Place(string text, int offset)
    {
        var before = text.AsSpan(0, Math.Min(offset, text.Length));
        int line = before.Count('\n') + 1;
        var start = before[(before.LastIndexOf('\n') + 1)..];
        int column = 1;
        foreach (char c in start)
            if (!char.IsLowSurrogate(c)) column++;
        return (line, column);
    }
}

/// <summary>Writes single TOML values, for messages, descriptions and made configurations.</summary>
static class TomlWriter
{
    const int ShownMax = 40;

    /// <summary>A basic string, whole on one line.</summary>
    public static string Quote(string text)
    {
        var result = new StringBuilder(text.Length + 2).Append('"');
        foreach (char c in text)
        {
            result = c switch
            {
                '"' or '\\' => result.Append('\\').Append(c),
                '\n' => result.Append("\\n"),
                '\r' => result.Append("\\r"),
                '\t' => result.Append("\\t"),
                < ' ' or '\u007F' => result.Append("\\u").Append(((int)c).ToString("X4", null)),
                _ => result.Append(c),
            };
        }
        return result.Append('"').ToString();
    }

    /// <summary>A foreign word for a message: cut, and on one line whatever is in it.</summary>
    public static string Show(string word)
    {
        string cut = word.Length <= ShownMax ? word : word[..ShownMax] + "...";
        return cut.AsSpan().ContainsAnyInRange('\0', '\u001F') ? Quote(cut)[1..^1] : cut;
    }

    /// <summary>A value as it could stand in a file again. Equal values give equal text.</summary>
    public static string Literal(TomlValue value) => value switch
    {
        TomlText text => Quote(text.Value),
        TomlArray array => "[" + string.Join(", ", array.Items.Select(Literal)) + "]",
        TomlTable table => "{" + string.Join(", ",
            table.Entries.Select(e => $"{Key(e.Key)} = {Literal(e.Value)}")) + "}",
        _ => value.Description,
    };

    /// <summary>A key: bare when it may be, else quoted.</summary>
    public static string Key(string key) => key.Length > 0 && !key.AsSpan().ContainsAnyExcept(TomlReader.BareKey) ? key
        : Quote(key);
}
