using System.Buffers;
using System.Globalization;

namespace Muster.Server.Config;

/// <summary>
/// The recursive-descent reader: one pass over the text, one position. This part reads lines, keys and headers and
/// keeps
/// the rules of who may define or extend a table; TomlReader.Values.cs reads values.
/// </summary>
sealed partial class TomlReader(string text, string file)
{
    internal static readonly SearchValues<char> BareKey =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    readonly record struct KeyPart(string Name, int Offset);

    readonly TomlTable _root = new(0, TomlOrigin.Header, 0);
    int _at;
    int _depth;
    int _section;   // ordinal of the header we are under; 0 before the first

    /// <summary>The character here, or '\0' at the end. A real NUL is no valid character anywhere, so nothing confuses
    /// the two.</summary>
    char Here => _at < text.Length ? text[_at] : '\0';

    bool AtEnd => _at >= text.Length;

    public TomlTable ReadDocument()
    {
        var current = _root;
        while (true)
        {
            SkipBlanks();
            if (AtEnd) return _root;
            if (Here is not ('\n' or '\r' or '#'))
            {
                if (Here == '[') current = ReadHeader();
                else ReadPair(current);
                SkipBlanks();
            }
            EndLine();
        }
    }

    TomlError Wrong(int offset, string what)
    {
        var (line, column) = Toml.Place(text, offset);
        return new TomlError(file, line, column, what);
    }

    TomlError Wrong(string what) => Wrong(_at, what);

    /// <summary>How a message names the character here.</summary>
    string Seen => AtEnd ? "the end of the file" : Here switch
    {
        '\n' or '\r' => "the end of the line",
        < ' ' or '\u007F' => $"the control character U+{(int)Here:X4}",
        _ when !char.IsSurrogate(Here) => $"'{Here}'",
        _ => _at + 1 < text.Length && char.IsSurrogatePair(Here, text[_at + 1]) ? $"'{text.Substring(_at, 2)}'"
            : "half a Unicode character",
    };

    void SkipBlanks()
    {
        while (Here is ' ' or '\t') _at++;
    }

    /// <summary>An optional comment, then a line end or the end of the file.</summary>
    void EndLine()
    {
        SkipComment();
        if (AtEnd || TryNewline()) return;
        throw Here == '\r'
            ? Wrong("a carriage return without a line feed; end lines with LF or CRLF")
            : Wrong($"{Seen} after the end of the value; put each key on a line of its own");
    }

    void SkipComment()
    {
        if (Here != '#') return;
        while (!AtEnd && Here is not ('\n' or '\r'))
        {
            CheckCharacter("a comment");
            _at++;
        }
    }

    bool TryNewline()
    {
        if (Here == '\n') _at++;
        else if (Here == '\r' && _at + 1 < text.Length && text[_at + 1] == '\n') _at += 2;
        else return false;
        return true;
    }

    /// <summary>TOML 1.0, "Comment", "String": no control characters but tab, and only whole Unicode
    /// characters.</summary>
    void CheckCharacter(string where)
    {
        char c = Here;
        if (c is (< ' ' and not '\t') or '\u007F')
            throw Wrong($"{Seen} inside {where}; remove it"
                + (where == "a comment" ? "" : " or write it as an escape"));
        if (!char.IsSurrogate(c)) return;
        if (!char.IsHighSurrogate(c) || _at + 1 >= text.Length || !char.IsLowSurrogate(text[_at + 1]))
            throw Wrong($"half a Unicode character inside {where}");
        _at++;
    }

    void ReadPair(TomlTable table)
    {
        var key = ReadKey();
        SkipBlanks();
        if (Here != '=') throw Wrong($"{Seen} where '=' and a value should follow the key");
        _at++;
        SkipBlanks();
        var value = ReadValue();
        for (int i = 0; i < key.Count - 1; i++) table = StepInto(table, key[i]);
        var last = key[^1];
        if (table.Find(last.Name) is { } old) throw Twice(last, old);
        table.Add(new TomlEntry(last.Name, last.Offset, value));
    }

    TomlError Twice(KeyPart key, TomlEntry old) =>
        Wrong(key.Offset, $"'{TomlWriter.Show(key.Name)}' is already set in line " +
            $"{Toml.Place(text, old.KeyOffset).Line}; remove one of the two");

    /// <summary>Follows one part of a dotted key. "Keys": it may make tables, and add to those that dotted keys under
    /// this header made.</summary>
    TomlTable StepInto(TomlTable table, KeyPart part)
    {
        if (table.Find(part.Name) is not { } entry)
        {
            var made = new TomlTable(part.Offset, TomlOrigin.Dotted, _section);
            table.Add(new TomlEntry(part.Name, part.Offset, made));
            return made;
        }
        if (entry.Value is TomlTable { Origin: TomlOrigin.Dotted } next && next.Section == _section) return next;
        throw Wrong(part.Offset, entry.Value is TomlTable
            ? $"'{TomlWriter.Show(part.Name)}' is defined in line {Toml.Place(text, entry.KeyOffset).Line} and " +
                $"dotted keys here cannot add to it; put the key there"
            : $"'{TomlWriter.Show(part.Name)}' is {entry.Value.Description} (line " +
                $"{Toml.Place(text, entry.KeyOffset).Line}) and cannot have keys");
    }

    TomlTable ReadHeader()
    {
        int start = _at++;
        bool array = Here == '[';
        if (array) _at++;
        SkipBlanks();
        var key = ReadKey();
        SkipBlanks();
        string close = array ? "]]" : "]";
        if (string.CompareOrdinal(text, _at, close, 0, close.Length) != 0) throw Wrong(
            $"{Seen} where the header should end with '{close}'");
        _at += close.Length;
        _section++;

        var table = _root;
        for (int i = 0; i < key.Count - 1; i++) table = StepThrough(table, key[i]);
        return array ? AddElement(table, key[^1], start) : OpenTable(table, key[^1]);
    }

    /// <summary>Follows one part of a header's name: through tables of any kind but inline, and into the last element
    /// of an array of tables.</summary>
    TomlTable StepThrough(TomlTable table, KeyPart part)
    {
        if (table.Find(part.Name) is not { } entry)
        {
            var made = new TomlTable(part.Offset, TomlOrigin.Implied, _section);
            table.Add(new TomlEntry(part.Name, part.Offset, made));
            return made;
        }
        return entry.Value switch
        {
            TomlTable { Origin: not TomlOrigin.Inline } next => next,
            TomlArray { OfTables: true } elements => (TomlTable)elements.Items[^1],
            _ => throw Wrong(part.Offset, $"'{TomlWriter.Show(part.Name)}' is {entry.Value.Description} that was " +
                $"completed in line " +
                $"{Toml.Place(text, entry.KeyOffset).Line}; a header cannot add to it"),
        };
    }

    TomlTable OpenTable(TomlTable parent, KeyPart name)
    {
        if (parent.Find(name.Name) is not { } entry)
        {
            var made = new TomlTable(name.Offset, TomlOrigin.Header, _section);
            parent.Add(new TomlEntry(name.Name, name.Offset, made));
            return made;
        }
        if (entry.Value is not TomlTable { Origin: TomlOrigin.Implied } table) throw Twice(name, entry);
        table.Origin = TomlOrigin.Header;
        return table;
    }

    TomlTable AddElement(TomlTable parent, KeyPart name, int start)
    {
        if (parent.Find(name.Name) is not { } entry)
        {
            entry = new TomlEntry(name.Name, name.Offset, new TomlArray(start, ofTables: true));
            parent.Add(entry);
        }
        if (entry.Value is not TomlArray { OfTables: true } array) throw Twice(name, entry);
        var element = new TomlTable(start, TomlOrigin.Header, _section);
        array.Items.Add(element);
        return element;
    }

    /// <summary>A bare, quoted or dotted key ("Keys").</summary>
    List<KeyPart> ReadKey()
    {
        var parts = new List<KeyPart>(4);
        while (true)
        {
            int start = _at;
            string name;
            if (Here == '"') name = ReadBasicString();
            else if (Here == '\'') name = ReadLiteralString();
            else
            {
                while (!AtEnd && BareKey.Contains(Here)) _at++;
                bool ends = AtEnd || char.IsControl(Here) || Here is ' ' or '=' or ']' or '.' or '#';
                if (!ends) throw Wrong($"{Seen} cannot be in a bare key (letters, digits, _ and -); quote the key");
                if (_at == start) throw Wrong($"{Seen} where a key should be");
                name = text[start.._at];
            }
            parts.Add(new KeyPart(name, start));
            SkipBlanks();
            if (Here != '.') return parts;
            _at++;
            SkipBlanks();
        }
    }

    static int Hex(char c) => char.IsAsciiHexDigit(c)
        ? int.Parse([c], NumberStyles.HexNumber, CultureInfo.InvariantCulture) : -1;
}
