using System.Globalization;
using System.Net;
using Muster.Protocol.Addresses;

namespace Muster.Server.Config;

sealed partial class Section
{
    /// <summary>Reads a value, or says that it is none that the option takes.</summary>
    public delegate bool Reader<T>(TomlValue value, out T result);

    const string Infinity = "infinity";

    /// <summary>The way of every option: declare it, look it up, read it, or tell what is wrong and take the
    /// default.</summary>
    T Read<T>(Option option, T @default, Reader<T> read)
    {
        var value = Take(option.Key);
        string path = Join(_path, option.Key);
        if (_declares) _group.Options.Add(option);
        else option = _group.Options[_next++];
        var result = @default;
        if (value is null)
        {
            if (option.Required && (_table is not null || _isDue)) _reading.Error(
                path, $"is missing; it must be {option.Syntax}");
        }
        else if (!read(value, out var given))
        {
            _reading.Error(value.Offset, path, option.Secret
                ? $"must be {option.Syntax}"
                : $"must be {option.Syntax}{(option.Unit.Length > 0 ? $" ({option.Unit})" : "")}, not " +
                    $"{value.Description}");
            value = null;
        }
        else result = given;
        _reading.Values.Add(new OptionValue(path, option, value is null ? option.Default : TomlWriter.Literal(value)));
        return result;
    }

    Option Declare(string key, OptionKind kind, string syntax, string? @default, string text, bool? reloads) => new()
    {
        Path = Join(_group.Path, key),
        Key = key,
        Kind = kind,
        Syntax = syntax,
        Default = @default,
        Text = text,
        Reloads = reloads ?? _group.Reloads,
    };

    /// <summary>An option of a type that only one place has.</summary>
    public T Custom<T>(string key, OptionKind kind, string syntax, string? literal, string text, T @default,
        Reader<T> read, string? unset = null, string? example = null, bool secret = false, bool? reloads = null)
    {
        var option = Declare(key, kind, syntax, literal, text, reloads) with
        {
            Unset = unset,
            Required = example is not null,
            Example = example,
            Secret = secret,
        };
        return Read(option, @default, read);
    }

    /// <summary>Whether a module is on; every module is until the file says otherwise.</summary>
    public bool Enabled() => Flag("enabled", true, "Whether this module is on.", reloads: false);

    /// <summary>A yes or no.</summary>
    public bool Flag(string key, bool @default, string text, bool? reloads = null) =>
        Read(Declare(key, OptionKind.Boolean, "true or false", @default ? "true" : "false", text, reloads), @default,
            static (TomlValue value, out bool result) =>
            {
                result = value is TomlBoolean { Value: true };
                return value is TomlBoolean;
            });

    /// <summary>A whole number within bounds.</summary>
    public int Int(string key, int @default, string text, int min = 0, int max = int.MaxValue, string unit = "",
        bool? reloads = null) =>
        Read(IntOption(key, @default.ToString(CultureInfo.InvariantCulture), text, min, max, unit, reloads,
            orInfinity: false), @default,
            (TomlValue value, out int result) => TryInt(value, min, max, out result));

    /// <summary>A whole number within bounds that must be given with its table.</summary>
    public int RequiredInt(string key, int example, string text, int min = 0, int max = int.MaxValue, string unit = "",
        bool? reloads = null)
    {
        string literal = example.ToString(CultureInfo.InvariantCulture);
        var option = IntOption(key, literal, text, min, max, unit, reloads, orInfinity: false) with
        {
            Default = null,
            Required = true,
            Example = literal,
        };
        return Read(option, example, (TomlValue value, out int result) => TryInt(value, min, max, out result));
    }

    /// <summary>A whole number within bounds, or no limit at all: null, written "infinity".</summary>
    public int? IntOrInfinity(string key, int? @default, string text, int min = 0, int max = int.MaxValue,
        string unit = "", bool? reloads = null) =>
        Read(IntOption(key, OrInfinity(@default), text, min, max, unit, reloads, orInfinity: true), @default,
            (TomlValue value, out int? result) => TryIntOrInfinity(value, min, max, out result));

    /// <summary>A whole number of seconds.</summary>
    public TimeSpan Seconds(string key, int @default, string text, int min = 1, int max = int.MaxValue,
        bool? reloads = null) =>
        TimeSpan.FromSeconds(Int(key, @default, text, min, max, "seconds", reloads));

    /// <summary>A whole number of minutes.</summary>
    public TimeSpan Minutes(string key, int @default, string text, int min = 1, int max = 1_000_000,
        bool? reloads = null) =>
        TimeSpan.FromMinutes(Int(key, @default, text, min, max, "minutes", reloads));

    /// <summary>A whole number of milliseconds.</summary>
    public TimeSpan Milliseconds(string key, int @default, string text, int min = 1, bool? reloads = null) =>
        TimeSpan.FromMilliseconds(Int(key, @default, text, min, int.MaxValue, "milliseconds", reloads));

    /// <summary>A whole number of milliseconds, or never: null, written "infinity".</summary>
    public TimeSpan? MillisecondsOrInfinity(string key, int? @default, string text, int min = 0,
        bool? reloads = null) =>
        IntOrInfinity(key, @default, text, min, int.MaxValue, "milliseconds", reloads) is { } count
            ? TimeSpan.FromMilliseconds(count) : null;

    /// <summary>Seconds with or without fraction.</summary>
    public TimeSpan FractionalSeconds(string key, int @default, string text, bool? reloads = null)
    {
        const int Max = 86_400;
        var option = Declare(key, OptionKind.Number, $"a number from 0 to {Max}",
            @default.ToString(CultureInfo.InvariantCulture), text, reloads);
        return Read(option with { Unit = "seconds", Min = 0, Max = Max }, TimeSpan.FromSeconds(@default),
            static (TomlValue value, out TimeSpan result) =>
        {
            double number = value switch { TomlInteger i => i.Value, TomlFloat f => f.Value, _ => -1 };
            bool isFine = number is >= 0 and <= Max;
            result = isFine ? TimeSpan.FromSeconds(number) : default;
            return isFine;
        });
    }

    /// <summary>Any text.</summary>
    public string Text(string key, string @default, string text, bool nonEmpty = false, bool? reloads = null) =>
        Read(Declare(key, OptionKind.Text, nonEmpty ? "a non-empty string" : "a string", TomlWriter.Quote(@default),
            text, reloads), @default,
            (TomlValue value, out string result) => TryText(value, nonEmpty, out result));

    /// <summary>Text that may be left out; <paramref name="unset"/> says what happens then.</summary>
    public string? OptionalText(string key, string unset, string text, bool secret = false, bool? reloads = null) =>
        Read(Declare(key, OptionKind.Text, "a non-empty string", null, text, reloads) with { Unset = unset,
            Secret = secret }, null,
            static (TomlValue value, out string? result) => TryText(value, nonEmpty: true, out result));

    /// <summary>Text that must be given with its table.</summary>
    public string RequiredText(string key, string example, string text, bool secret = false, bool? reloads = null) =>
        Read(Declare(key, OptionKind.Text, "a non-empty string", null, text, reloads) with { Required = true,
            Example = TomlWriter.Quote(example), Secret = secret }, "",
            static (TomlValue value, out string result) => TryText(value, nonEmpty: true, out result));

    /// <summary>Text that <paramref name="parse"/> turns into something, or null when it is not that.</summary>
    /// <param name="key">The name.</param>
    /// <param name="default">Of the value.</param>
    /// <param name="literal">The default as text; null: not set, and <paramref name="unset"/> says what happens
    /// then.</param>
    /// <param name="syntax">Completes "must be ...".</param>
    /// <param name="text">What it is for.</param>
    /// <param name="parse">Pure.</param>
    /// <param name="unset">What happens without it.</param>
    /// <param name="example">Makes the option a required one.</param>
    /// <param name="reloads">Whether a reload applies it.</param>
    public T Parsed<T>(string key, T @default, string? literal, string syntax, string text, Func<string, T?> parse,
        string? unset = null, string? example = null, bool? reloads = null)
    {
        var option = Declare(key, OptionKind.Text, syntax, literal is null ? null : TomlWriter.Quote(literal), text,
            reloads) with
        {
            Unset = unset,
            Required = example is not null,
            Example = example is null ? null : TomlWriter.Quote(example),
        };
        return Read(option, @default, (TomlValue value, out T result) =>
        {
            var parsed = value is TomlText given ? parse(given.Value) : default;
            result = parsed!;
            return parsed is not null;
        });
    }

    /// <summary>One of several words. A later word for a value that has one already is another name for it.</summary>
    /// <remarks>The part that is compiled for each type is small on purpose, here and below: at start every method that
    /// is used costs time.</remarks>
    public T Choice<T>(string key, T @default, string text, (string Word, T Value)[] words, bool? reloads = null,
        bool required = false) where T : notnull
    {
        string[] names = Names(words);
        int index = Choice(key, IndexOf(words, @default), text, names, reloads, required);
        return words[index].Value;
    }

    int Choice(string key, int @default, string text, string[] names, bool? reloads, bool required)
    {
        string literal = TomlWriter.Quote(names[@default]);
        var option = Declare(key, OptionKind.Text, OneOf(names), required ? null : literal, text, reloads);
        if (required) option = option with { Required = true, Example = literal };
        return Read(option, @default, (TomlValue value, out int result) => TryWord(value, names, out result));
    }

    /// <summary>Several of several words, in the order of the operator's preference.</summary>
    public IReadOnlyList<T> Choices<T>(string key, IReadOnlyList<T> @default, string text,
        (string Word, T Value)[] words, bool? reloads = null) where T : notnull
    {
        var indexes = new int[@default.Count];
        for (int i = 0; i < indexes.Length; i++) indexes[i] = IndexOf(words, @default[i]);
        var chosen = Choices(key, indexes, text, Names(words), reloads);
        var values = new T[chosen.Count];
        for (int i = 0; i < values.Length; i++) values[i] = words[chosen[i]].Value;
        return values;
    }

    IReadOnlyList<int> Choices(string key, int[] @default, string text, string[] names, bool? reloads)
    {
        string literal = "[" + string.Join(", ", @default.Select(index => TomlWriter.Quote(names[index]))) + "]";
        return Read(Declare(key, OptionKind.List, "an array of " + OneOf(names), literal, text, reloads), @default,
            (TomlValue value, out IReadOnlyList<int> result) =>
                TryList(value, (TomlValue item, out int one) => TryWord(item, names, out one), out result));
    }

    static string[] Names<T>((string Word, T Value)[] words)
    {
        var names = new string[words.Length];
        for (int i = 0; i < names.Length; i++) names[i] = words[i].Word;
        return names;
    }

    static int IndexOf<T>((string Word, T Value)[] words, T value) where T : notnull
    {
        int index = 0;
        while (!words[index].Value.Equals(value)) index++;
        return index;
    }

    /// <summary>Whole numbers within bounds.</summary>
    public IReadOnlyList<int> Ints(string key, IReadOnlyList<int> @default, string text, int min, int max,
        bool? reloads = null) =>
        Read(Declare(key, OptionKind.List, $"an array of {Range(min, max)}", $"[{string.Join(", ", @default)}]", text,
            reloads), @default,
            (TomlValue value, out IReadOnlyList<int> result) =>
                TryList(value, (TomlValue item, out int one) => TryInt(item, min, max, out one), out result));

    /// <summary>An XMPP domain, in its normal form.</summary>
    public string? OptionalDomain(string key, string unset, string text, bool? reloads = null) =>
        Parsed(key, null, null, "a domain name", text, AsDomain, unset, reloads: reloads);

    /// <summary>An XMPP domain that must be given.</summary>
    public string RequiredDomain(string key, string example, string text, bool? reloads = null) =>
        Parsed(key, "", null, "a domain name", text, AsDomain, example: example, reloads: reloads);

    /// <summary>XMPP domains, in their normal form.</summary>
    public IReadOnlyList<string> Domains(string key, IReadOnlyList<string> @default, string text,
        bool nonEmpty = false, bool? reloads = null) =>
        Read(Declare(key, OptionKind.List, (nonEmpty ? "a non-empty array" : "an array") + " of domain names",
                $"[{string.Join(", ", @default.Select(TomlWriter.Quote))}]", text, reloads), @default,
            (TomlValue value, out IReadOnlyList<string> result) =>
                TryList(value, static (TomlValue item, out string one) =>
                {
                    one = item is TomlText given ? AsDomain(given.Value) ?? "" : "";
                    return one.Length > 0;
                }, out result) && (!nonEmpty || result.Count > 0));

    /// <summary>An IP address.</summary>
    public IPAddress Ip(string key, string @default, string text, bool required = false) =>
        Parsed(key, IPAddress.Parse(@default), required ? null : @default, "an IP address", text, AsIp,
            example: required ? @default : null);

    /// <summary>A port; 0 lets the system choose one.</summary>
    public int Port(string key, int @default, string text, int min = 0) => Int(key, @default, text, min, max: 65_535);

    /// <summary>A file name, made absolute; a relative one starts at the folder of the configuration.</summary>
    public string? OptionalFile(string key, string unset, string text, bool? reloads = null) =>
        Parsed(key, null, null, "a file name", text,
            name => name.Length == 0 || name.Contains('\0', StringComparison.Ordinal) ? null
                : System.IO.Path.GetFullPath(name, Folder), unset, reloads: reloads);

    /// <summary>The name of an access rule.</summary>
    public string Rule(string key, string @default, string text) =>
        Refer(ReferenceKind.AccessRule, key, Text(key, @default, text, nonEmpty: true, reloads: true));

    /// <summary>The name of a shaper; null is none.</summary>
    public string? Shaper(string key, string text) =>
        OrNone(Refer(ReferenceKind.Shaper, key, Text(key, "none", text, nonEmpty: true, reloads: true)));

    /// <summary>The name of a pool of HTTP connections; null is none.</summary>
    public string? HttpPool(string key, string text) =>
        OrNone(Refer(ReferenceKind.HttpPool, key, Text(key, "none", text, nonEmpty: true, reloads: true)));

    /// <summary>An option of MongooseIM that means nothing here: taken, so that its configurations load, and
    /// told.</summary>
    public bool Foreign(string key, string why)
    {
        if (_declares) _group.Foreign.Add((key, why));
        if (Take(key) is null) return false;
        _reading.Warn(Join(_path, key), $"has no effect here: {why}");
        return true;
    }

    /// <summary>Remembers that this option names something, to be checked when everything is read.</summary>
    public string Refer(ReferenceKind kind, string key, string name)
    {
        if (_table?.Find(key)?.Value is TomlText text)
            _reading.References.Add(new Reference(kind, name, Join(_path, key), text.Offset));
        return name;
    }

    static string? OrNone(string name) => name == "none" ? null : name;

    Option IntOption(string key, string @default, string text, int min, int max, string unit, bool? reloads,
        bool orInfinity) =>
        Declare(key, OptionKind.Integer, Range(min, max) + (orInfinity ? $" or \"{Infinity}\"" : ""), @default, text,
            reloads) with
        {
            Unit = unit,
            Min = min,
            Max = max,
        };

    static string OrInfinity(int? number) => number?.ToString(CultureInfo.InvariantCulture)
        ?? TomlWriter.Quote(Infinity);

    static string Range(int min, int max) => max == int.MaxValue ? $"a whole number ≥ {min}"
        : $"a whole number from {min} to {max}";

    static string OneOf(string[] names) => "one of " + string.Join(", ", Array.ConvertAll(names, TomlWriter.Quote));

    static bool TryInt(TomlValue value, int min, int max, out int result)
    {
        bool isFine = value is TomlInteger number && number.Value >= min && number.Value <= max;
        result = isFine ? (int)((TomlInteger)value).Value : 0;
        return isFine;
    }

    static bool TryIntOrInfinity(TomlValue value, int min, int max, out int? result)
    {
        result = null;
        if (value is TomlText { Value: Infinity }) return true;
        if (!TryInt(value, min, max, out int number)) return false;
        result = number;
        return true;
    }

    static bool TryText(TomlValue value, bool nonEmpty, out string result)
    {
        result = (value as TomlText)?.Value ?? "";
        return value is TomlText && !(nonEmpty && result.Length == 0);
    }

    static bool TryWord(TomlValue value, string[] names, out int index)
    {
        index = value is TomlText text ? Array.IndexOf(names, text.Value) : -1;
        return index >= 0;
    }

    static bool TryList<T>(TomlValue value, Reader<T> read, out IReadOnlyList<T> result)
    {
        var list = new List<T>();
        result = list;
        if (value is not TomlArray array) return false;
        foreach (var item in array.Items)
        {
            if (!read(item, out var one)) return false;
            list.Add(one);
        }
        return true;
    }

    static string? AsDomain(string text) => JidPrep.TryDomain(text, out string? domain) ? domain : null;

    /// <summary>IPAddress.Parse takes "1" for 0.0.0.1; here an address has its full form.</summary>
    static IPAddress? AsIp(string text) =>
        IPAddress.TryParse(text, out var address)
            && (text.Contains(':', StringComparison.Ordinal) || text.Count('.') == 3) ? address : null;
}
