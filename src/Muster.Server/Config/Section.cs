namespace Muster.Server.Config;

/// <summary>
/// One table of the configuration while it is read. A configuration class takes it in its constructor and states each
/// option once, as the initial value of a property; that statement declares the option and reads it in one go.
/// </summary>
/// <remarks>
/// A wrong value is reported and the default taken, so that one pass finds all that is wrong. Nothing is thrown. When
/// the
/// class is made, keys that it did not ask for are unknown keys. This part is about tables; Section.Options.cs about
/// values.
/// </remarks>
sealed partial class Section
{
    readonly Reading _reading;
    readonly TomlTable? _table;     // null: not in the file
    readonly OptionGroup _group;
    readonly string _path;          // this very table: listen.c2s[1]
    readonly bool _declares;        // the first of its kind in this pass
    readonly List<string> _known = [];
    bool _isDue;                    // what it requires is missing even when the whole table is
    int _next;                      // index into the options of the group, when they are declared already

    Section(Reading reading, TomlTable? table, string path, OptionGroup group)
    {
        (_reading, _table, _path) = (reading, table, path);
        _group = reading.Group(group, out _declares);
    }

    /// <summary>Reads a whole configuration.</summary>
    public static T Read<T>(Reading reading, TomlTable? root, Func<Section, T> read)
    {
        var section = new Section(reading, root, "", new OptionGroup("", GroupKind.One, "", "", Reloads: false));
        return section.Finish(read);
    }

    /// <summary>Every option at its default; for tests of one part.</summary>
    public static Section Defaults => new(new Reading(null, ""), null, "",
        new OptionGroup("", GroupKind.One, "", "", Reloads: false));

    /// <summary>Whether the file has this table.</summary>
    public bool IsGiven => _table is not null;

    /// <summary>The place of this table for later checks: <c>listen.c2s[1]</c>.</summary>
    public string Path => _path;

    /// <summary>All values read so far, and those still to come.</summary>
    public IReadOnlyList<OptionValue> Values => _reading.Values;

    /// <summary>The folder that relative file names start at.</summary>
    public string Folder => _reading.Folder;

    static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    T Finish<T>(Func<Section, T> read)
    {
        var made = read(this);
        if (_table is null) return made;
        foreach (var entry in _table.Entries)
        {
            if (_known.Contains(entry.Key)) continue;
            string? nearest = Nearest.Of(entry.Key, _known);
            _reading.Error(entry.KeyOffset, Join(_path, TomlWriter.Show(entry.Key)), "unknown key" + (nearest is null
                ? $"; {(_path.Length == 0 ? "the file" : $"'{_path}'")} takes no keys"
                : $"; did you mean '{nearest}'?"));
        }
        return made;
    }

    OptionGroup Child(string key, GroupKind kind, string text, string? source, bool? reloads) =>
        new(Join(_group.Path, key), kind, text, source ?? _group.Source, reloads ?? _group.Reloads)
        {
            Repeats = kind != GroupKind.One || _group.Repeats,
        };

    TomlValue? Take(string key)
    {
        _known.Add(key);
        if (_table?.Find(key) is not { } entry) return null;
        _reading.Found(Join(_path, key), entry.Value is TomlTable or TomlArray { OfTables: true } ? entry.Value.Offset
            : entry.KeyOffset);
        return entry.Value;
    }

    TomlTable? TakeTable(string key)
    {
        var value = Take(key);
        if (value is not (null or TomlTable)) WrongType(value, Join(_path, key), "a table");
        return value as TomlTable;
    }

    void WrongType(TomlValue value, string path, string wanted) =>
        _reading.Error(value.Offset, path, $"must be {wanted}, not {value.Description}");

    /// <summary>A table of fixed name.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="text">What it is about.</param>
    /// <param name="read">Makes the value of it, also when the file does not have it.</param>
    /// <param name="source">The document that names the options, when it is another than around it.</param>
    /// <param name="reloads">Whether a reload applies changes of its options, where they do not say otherwise.</param>
    /// <param name="required">Whether what must be given in it must be given even if it is not there.</param>
    public T Table<T>(string key, string text, Func<Section, T> read, string? source = null, bool? reloads = null,
        bool required = false)
    {
        var table = TakeTable(key);
        string path = Join(_path, key);
        var group = Child(key, GroupKind.One, text, source, reloads);
        return new Section(_reading, table, path, group) { _isDue = required && _table is not null }.Finish(read);
    }

    /// <summary>A table that changes single options of another one: what it does not give is taken from
    /// there.</summary>
    /// <param name="key">Its name, here and in <paramref name="general"/>, which has been read already.</param>
    /// <param name="general">Where the other table is.</param>
    /// <param name="read">As for the other table.</param>
    public T TableOver<T>(string key, Section general, Func<Section, T> read)
    {
        var own = TakeTable(key);
        var merged = general._table?.Find(key)?.Value is TomlTable under ? Merge(under, own) : own;
        return new Section(_reading, merged, Join(_path, key),
            general.Child(key, GroupKind.One, "", null, null)).Finish(read);
    }

    static TomlTable Merge(TomlTable under, TomlTable? over)
    {
        var merged = new TomlTable((over ?? under).Offset, TomlOrigin.Inline, 0);
        foreach (var entry in under.Entries)
        {
            var own = over?.Find(entry.Key);
            merged.Add(own is null ? entry
                : own.Value is TomlTable table && entry.Value is TomlTable below
                    ? own with { Value = Merge(below, table) }
                : own);
        }
        if (over is null) return merged;
        foreach (var entry in over.Entries)
            if (under.Find(entry.Key) is null) merged.Add(entry);
        return merged;
    }

    /// <summary>A table that means something by being there: null without it.</summary>
    public T? OptionalTable<T>(string key, string text, Func<Section, T> read) where T : class
    {
        var made = Table(key, text, read);
        return _table?.Find(key) is null ? null : made;
    }

    /// <summary>Any number of tables under one name: <c>[[key]]</c>, or an array of inline tables.</summary>
    public IReadOnlyList<T> Tables<T>(string key, string text, Func<Section, T> read, string? source = null,
        bool? reloads = null)
    {
        var value = Take(key);
        return Elements(value, Join(_path, key), Child(key, GroupKind.Many, text, source, reloads), read);
    }

    List<T> Elements<T>(TomlValue? value, string path, OptionGroup group, Func<Section, T> read)
    {
        var made = new List<T>();
        if (value is TomlArray array)
        {
            foreach (var item in array.Items)
            {
                string place = $"{path}[{made.Count}]";
                if (item is not TomlTable table)
                {
                    WrongType(item, path, "an array of tables");
                    continue;
                }
                _reading.Found(place, table.Offset);
                made.Add(new Section(_reading, table, place, group).Finish(read));
            }
        }
        else if (value is not null) WrongType(value, path, $"an array of tables ([[{path}]])");
        else if (_reading.Describing) new Section(_reading, null, path + "[0]", group).Finish(read);
        return made;
    }

    /// <summary>Tables whose names the operator chooses: <c>[key.NAME]</c>.</summary>
    public IReadOnlyDictionary<string, T> Named<T>(
        string key, string text, Func<Section, T> read, string? source = null, bool? reloads = null)
    {
        var group = Child(key + ".NAME", GroupKind.Named, text, source, reloads);
        return Names(key, group, (value, path) =>
        {
            if (value is not (null or TomlTable)) WrongType(value, path, "a table");
            return new Section(_reading, value as TomlTable, path, group).Finish(read);
        });
    }

    /// <summary>Lists of tables whose names the operator chooses: <c>NAME = [{...}, {...}]</c> under
    /// <c>[key]</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<T>> NamedLists<T>(
        string key, string text, Func<Section, T> read, string? source = null, bool? reloads = null)
    {
        var group = Child(key + ".NAME", GroupKind.NamedLists, text, source, reloads);
        return Names<IReadOnlyList<T>>(key, group, (value, path) => Elements(value, path, group, read));
    }

    Dictionary<string, T> Names<T>(string key, OptionGroup group, Func<TomlValue?, string, T> read)
    {
        var made = new Dictionary<string, T>(StringComparer.Ordinal);
        var table = TakeTable(key);
        if (table is not null)
        {
            foreach (var entry in table.Entries)
            {
                string path = Join(Join(_path, key), TomlWriter.Key(entry.Key));
                _reading.Found(path, entry.KeyOffset);
                made.Add(entry.Key, read(entry.Value, path));
            }
        }
        else if (_reading.Describing) read(null, group.Path);
        return made;
    }
}
