namespace Muster.Server.Config;

/// <summary>What a name in the configuration must lead to.</summary>
enum ReferenceKind { AccessRule, Shaper, HttpPool, AccessClass }

/// <summary>A name that some option gives, to be looked up once everything is read.</summary>
sealed record Reference(ReferenceKind Kind, string Name, string Path, int Offset);

/// <summary>One pass over a configuration: what was declared on the way, the values found, and all that is
/// wrong.</summary>
/// <param name="document">Null: there is no file, everything has its default.</param>
/// <param name="folder">Relative file names in the configuration start here: the folder of the file.</param>
sealed class Reading(TomlDocument? document, string folder)
{
    readonly Dictionary<string, OptionGroup> _groups = [];
    readonly List<OptionGroup> _order = [];
    readonly Dictionary<string, int> _places = [];
    readonly HashSet<string> _told = new(StringComparer.Ordinal);

    /// <summary>Makes every list of tables have one element, so that the options of its elements are
    /// declared.</summary>
    public bool Describing { get; init; }
    public string Folder { get; } = folder;
    public List<ConfigProblem> Problems { get; } = [];
    public List<OptionValue> Values { get; } = [];
    public List<Reference> References { get; } = [];

    /// <summary>In the order of their declaration.</summary>
    public IReadOnlyList<OptionGroup> Groups => _order;

    /// <summary>The group of that name; <paramref name="isNew"/>: its options are still to be declared.</summary>
    public OptionGroup Group(OptionGroup group, out bool isNew)
    {
        isNew = _groups.TryAdd(group.Path, group);
        if (isNew) _order.Add(group);
        return isNew ? group : _groups[group.Path];
    }

    /// <summary>Remembers where an option or a table stands in the file.</summary>
    public void Found(string path, int offset) => _places[path] = offset;

    /// <summary>Whether the file gives this option, or has this table.</summary>
    public bool IsGiven(string path) => _places.ContainsKey(path);

    public void Error(int offset, string path, string text) => Tell(isError: true, offset, path, text);

    /// <summary>A problem of an option that is named by its path; placed at the option, or else at the nearest table
    /// around it.</summary>
    public void Error(string path, string text) => Tell(isError: true, PlaceOf(path), path, text);

    public void Warn(int offset, string path, string text) => Tell(isError: false, offset, path, text);

    public void Warn(string path, string text) => Tell(isError: false, PlaceOf(path), path, text);

    int PlaceOf(string path)
    {
        while (path.Length > 0)
        {
            if (_places.TryGetValue(path, out int offset)) return offset;
            path = path[..Math.Max(0, path.LastIndexOfAny(['.', '[']))];
        }
        return 0;
    }

    void Tell(bool isError, int offset, string path, string text)
    {
        // A table that several hosts share is read once for each of them.
        if (!_told.Add($"{offset} {text}")) return;
        var (line, column) = document?.At(offset) ?? (1, 1);
        Problems.Add(new ConfigProblem(isError, document?.File ?? "defaults", line, column, path, text));
    }
}
