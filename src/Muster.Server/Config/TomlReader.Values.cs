using System.Globalization;
using System.Text;

namespace Muster.Server.Config;

sealed partial class TomlReader
{
    TomlValue ReadValue()
    {
        int start = _at;
        switch (Here)
        {
            case '"':
                return new TomlText(start, IsTriple('"') ? ReadLongString('"') : ReadBasicString());
            case '\'':
                return new TomlText(start, IsTriple('\'') ? ReadLongString('\'') : ReadLiteralString());
            case '[':
                return Nested(ReadArray);
            case '{':
                return Nested(ReadInlineTable);
            default:
                return ReadScalar();
        }
    }

    TomlValue Nested(Func<TomlValue> read)
    {
        if (++_depth > Toml.DepthMax) throw Wrong($"arrays and tables are nested more than {Toml.DepthMax} deep");
        var value = read();
        _depth--;
        return value;
    }

    bool IsTriple(char quote) => _at + 2 < text.Length && text[_at + 1] == quote && text[_at + 2] == quote;

    TomlArray ReadArray()
    {
        int start = _at++;
        var array = new TomlArray(start, ofTables: false);
        while (true)
        {
            SkipBlankLines();
            if (AtEnd) throw Wrong(start, "this array is not closed; add ']'");
            if (Here == ']') break;
            array.Items.Add(ReadValue());
            SkipBlankLines();
            if (Here == ',') _at++;
            else if (Here != ']')
                throw AtEnd ? Wrong(start, "this array is not closed; add ']'")
                    : Wrong($"{Seen} in an array where ',' or ']' should be");
        }
        _at++;
        return array;
    }

    void SkipBlankLines()
    {
        do
        {
            SkipBlanks();
            SkipComment();
        }
        while (TryNewline());
    }

    /// <summary>"Inline Table": one line, no comma after the last pair, nothing can be added later (its dotted tables
    /// included).</summary>
    TomlTable ReadInlineTable()
    {
        var table = new TomlTable(_at++, TomlOrigin.Inline, _section);
        SkipBlanks();
        if (Here != '}')
        {
            while (true)
            {
                ReadPair(table);
                SkipBlanks();
                if (Here == '}') break;
                if (Here != ',') throw Wrong($"{Seen} in an inline table where ',' or '}}' should be; an inline " +
                    $"table stands on one line");
                _at++;
                SkipBlanks();
                if (Here == '}') throw Wrong("a comma before '}'; remove it");
            }
        }
        _at++;
        Close(table);
        return table;
    }

    /// <summary>Tables that dotted keys made inside the braces are closed with them.</summary>
    static void Close(TomlTable table)
    {
        foreach (var entry in table.Entries)
        {
            if (entry.Value is not TomlTable { Origin: TomlOrigin.Dotted } inner) continue;
            inner.Origin = TomlOrigin.Inline;
            Close(inner);
        }
    }

    string ReadBasicString()
    {
        int start = _at++;
        var result = new StringBuilder();
        while (Here != '"')
        {
            if (AtEnd || Here is '\n' or '\r') throw Wrong(
                start, "this string is not closed; add '\"' before the end of the line");
            ReadCharacter(result, start, basic: true);
        }
        _at++;
        return result.ToString();
    }

    string ReadLiteralString()
    {
        int start = _at++;
        while (Here != '\'')
        {
            if (AtEnd || Here is '\n' or '\r') throw Wrong(
                start, "this string is not closed; add \"'\" before the end of the line");
            CheckCharacter("a string");
            _at++;
        }
        return text[(start + 1).._at++];
    }

    /// <summary>A multi-line string of either kind. A newline right after the opening is dropped; two quotes may touch
    /// the closing ones.</summary>
    string ReadLongString(char quote)
    {
        int start = _at;
        _at += 3;
        TryNewline();
        var result = new StringBuilder();
        while (true)
        {
            if (AtEnd) throw Wrong(start, $"this string is not closed; add {new string(quote, 3)} after its end");
            if (Here == quote)
            {
                int run = 0;
                while (run < 5 && _at + run < text.Length && text[_at + run] == quote) run++;
                _at += run;
                if (run < 3) result.Append(quote, run);
                else return result.Append(quote, run - 3).ToString();
            }
            else if (Here is '\n' or '\r')
            {
                if (!TryNewline()) throw Wrong("a carriage return without a line feed inside a string; end lines " +
                    "with LF or CRLF");
                result.Append('\n');
            }
            else ReadCharacter(result, start, basic: quote == '"');
        }
    }

    void ReadCharacter(StringBuilder result, int start, bool basic)
    {
        if (basic && Here == '\\')
        {
            ReadEscape(result, multiLine: text[start + 1] == '"' && text[start + 2] == '"');
            return;
        }
        int from = _at;
        CheckCharacter("a string");
        _at++;
        result.Append(text, from, _at - from);
    }

    void ReadEscape(StringBuilder result, bool multiLine)
    {
        int start = _at++;
        char c = Here;
        if (multiLine && TrySkipLineEnding()) return;
        int length = c switch { 'u' => 4, 'U' => 8, _ => 0 };
        if (length == 0)
        {
            int index = AtEnd ? -1 : "btnfr\"\\".IndexOf(c, StringComparison.Ordinal);
            if (index < 0)
                throw Wrong(start, $"\\ followed by {Seen} is no escape; write \\\\ for a backslash, or use a '...' " +
                    $"string");
            result.Append("\b\t\n\f\r\"\\"[index]);
            _at++;
            return;
        }
        _at++;
        long code = 0;
        for (int i = 0; i < length; i++, _at++)
        {
            int digit = Hex(Here);
            if (digit < 0) throw Wrong(start, $"\\{c} needs {length} hexadecimal digits");
            code = code * 16 + digit;
        }
        if (code > 0x10FFFF || !Rune.IsValid((int)code)) throw Wrong(start, $"\\{c} here names no Unicode character");
        result.Append(new Rune((int)code).ToString());
    }

    /// <summary>"line ending backslash": skips it with all blanks and newlines up to the next character.</summary>
    bool TrySkipLineEnding()
    {
        int start = _at;
        SkipBlanks();
        if (!TryNewline())
        {
            _at = start;
            return false;
        }
        do SkipBlanks();
        while (TryNewline());
        return true;
    }

    /// <summary>Booleans, numbers, dates: a run of their characters is taken first and then judged as a
    /// whole.</summary>
    TomlValue ReadScalar()
    {
        int start = _at;
        TakeWord();
        // "Offset Date-Time": a space may stand for the T.
        if (_at - start == 10 && text[start + 4] == '-' && Here == ' ' && _at + 1 < text.Length
            && char.IsAsciiDigit(text[_at + 1]))
        {
            _at++;
            TakeWord();
        }
        string word = text[start.._at];
        if (word.Length == 0) throw Wrong(AtEnd || Here is '\n' or '\r' or '#' ? "a value is missing here"
            : $"{Seen} where a value should be; quote strings");
        if (word is "true" or "false") return new TomlBoolean(start, word == "true");
        if (char.IsAsciiLetter(word[0]) && word is not ("inf" or "nan"))
            throw Wrong(start, $"'{TomlWriter.Show(word)}' is no value; quote strings, and write booleans as true " +
                $"and false");
        if (TomlMoments.LooksLikeOne(word))
            return TomlMoments.Read(start, word) ?? throw Wrong(start, $"'{TomlWriter.Show(word)}' is no valid date " +
                $"or time; write them as 2026-01-31, 23:59:59 or 2026-01-31T23:59:59Z");
        return ReadNumber(start, word)
            ?? throw Wrong(start, $"'{TomlWriter.Show(word)}' is no valid number; numbers have no leading zeros, " +
                $"digits on both sides of '.' and of each '_', and integers fit 64 bits");
    }

    void TakeWord()
    {
        while (!AtEnd && (char.IsAsciiLetterOrDigit(Here) || Here is '_' or '-' or '+' or '.' or ':')) _at++;
    }

    static TomlValue? ReadNumber(int start, string word)
    {
        var body = word.AsSpan();
        bool signed = body[0] is '+' or '-';
        if (signed) body = body[1..];
        if (body is "inf" or "nan")
        {
            double special = body is "nan" ? double.NaN : word[0] == '-' ? double.NegativeInfinity
                : double.PositiveInfinity;
            return new TomlFloat(start, special);
        }
        if (body.Length > 2 && body[0] == '0' && body[1] is 'x' or 'o' or 'b') return signed ? null
            : ReadRadix(start, body);

        int e = body.IndexOfAny('e', 'E');
        var mantissa = e < 0 ? body : body[..e];
        int dot = mantissa.IndexOf('.');
        var whole = dot < 0 ? mantissa : mantissa[..dot];
        if (!AreDigits(whole) || (whole.Length > 1 && whole[0] == '0')) return null;
        if (dot >= 0 && !AreDigits(mantissa[(dot + 1)..])) return null;
        if (e >= 0)
        {
            var exponent = body[(e + 1)..];
            if (exponent.Length > 0 && exponent[0] is '+' or '-') exponent = exponent[1..];
            if (!AreDigits(exponent)) return null;
        }
        string plain = word.Replace("_", "", StringComparison.Ordinal);
        if (dot >= 0 || e >= 0) return new TomlFloat(
            start, double.Parse(plain, NumberStyles.Float, CultureInfo.InvariantCulture));
        return long.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? new TomlInteger(start, value) : null;
    }

    static TomlInteger? ReadRadix(int start, ReadOnlySpan<char> body)
    {
        int radix = body[1] switch { 'x' => 16, 'o' => 8, _ => 2 };
        long value = 0;
        bool digitBefore = false;
        foreach (char c in body[2..])
        {
            if (c == '_')
            {
                if (!digitBefore) return null;
                digitBefore = false;
                continue;
            }
            int digit = Hex(c);
            if (digit < 0 || digit >= radix || value > (long.MaxValue - digit) / radix) return null;
            value = value * radix + digit;
            digitBefore = true;
        }
        return digitBefore ? new TomlInteger(start, value) : null;
    }

    /// <summary>One or more digits, single underscores only between them.</summary>
    static bool AreDigits(ReadOnlySpan<char> span)
    {
        bool digitBefore = false;
        foreach (char c in span)
        {
            if (c == '_' ? !digitBefore : !char.IsAsciiDigit(c)) return false;
            digitBefore = c != '_';
        }
        return digitBefore;
    }
}
