namespace Muster.Server.Config;

/// <summary>
/// Tables and options of which this version does not have the feature. They are read and checked, so that the
/// configurations of the documents load, but whoever sets one is told that it has no effect. A feature that comes
/// removes its lines here.
/// </summary>
static class NotYet
{
    /// <summary>Full names as in <see cref="Option.Path"/>; a table stands for all that is in it.</summary>
    public static readonly string[] Paths =
    [
        "listen.c2s.shaper",
        "listen.c2s.access",
        "listen.http.shaper",
        "listen.http.access",
        "general.language",
    ];

    /// <summary>Whether an option or a table is one of them, or in one.</summary>
    public static bool Has(string path) => Array.Exists(Paths, p => IsIn(path, p));

    /// <summary>Tells once for each of them what the file sets in vain.</summary>
    public static void Warn(Reading reading)
    {
        foreach (string path in Paths)
        {
            var given = reading.Values.Where(v => IsIn(v.Option.Path, path) && reading.IsGiven(v.Path)).ToList();
            bool isOff = given is [{ Option.Key: "enabled", Literal: "false" }];
            if (isOff || (given.Count == 0 && !reading.IsGiven(path))) continue;
            reading.Warn(given.Count == 0 || reading.IsGiven(path) ? path : given[0].Path,
                "this version does not have this feature yet: it is checked, but has no effect");
        }
    }

    static bool IsIn(string path, string table) =>
        path.StartsWith(table, StringComparison.Ordinal) && (path.Length == table.Length || path[table.Length] == '.');
}
