namespace Muster.Server.Config;

/// <summary>One option that two configurations have differently. A value is null where the option, or its whole table,
/// is not set; those of secret options are not shown.</summary>
sealed record ConfigChange(string Path, string? Old, string? New, bool Reloads)
{
    /// <summary>For the log and the command line.</summary>
    public override string ToString() => $"{Path}: {Old ?? "not set"} -> {New ?? "not set"}";
}

/// <summary>What a reload can apply at once, and what must wait for a restart.</summary>
/// <param name="Live">Applied by a reload.</param>
/// <param name="NeedRestart">Kept as they were until the server is started again.</param>
sealed record ConfigDiff(IReadOnlyList<ConfigChange> Live, IReadOnlyList<ConfigChange> NeedRestart)
{
    const string Hidden = "(secret)";

    /// <summary>Nothing has changed.</summary>
    public bool IsEmpty => Live.Count == 0 && NeedRestart.Count == 0;

    /// <summary>Compares two configurations, option by option.</summary>
    public static ConfigDiff Between(ServerConfig old, ServerConfig @new)
    {
        var before = old.Values.ToDictionary(v => v.Path, StringComparer.Ordinal);
        var changes = new List<ConfigChange>();
        foreach (var value in @new.Values)
        {
            before.Remove(value.Path, out var was);
            if (was is null || was.Literal != value.Literal) changes.Add(
                Change(value.Option, value.Path, was?.Literal, value.Literal));
        }
        changes.AddRange(before.Values.Select(gone => Change(gone.Option, gone.Path, gone.Literal, null)));
        var byKind = changes.ToLookup(change => change.Reloads);
        return new ConfigDiff([.. byKind[true]], [.. byKind[false]]);
    }

    static ConfigChange Change(Option option, string path, string? old, string? @new) => option.Secret
        ? new ConfigChange(path, old is null ? null : Hidden, @new is null ? null : Hidden, option.Reloads)
        : new ConfigChange(path, old, @new, option.Reloads);
}
