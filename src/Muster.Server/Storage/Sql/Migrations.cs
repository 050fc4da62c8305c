using System.Globalization;
using System.Reflection;

namespace Muster.Server.Storage.Sql;

/// <summary>One numbered step of a database's schema.</summary>
/// <param name="Number">From 1, without gaps.</param>
/// <param name="Name">The file's name.</param>
/// <param name="Sql">Its statements.</param>
internal sealed record Migration(int Number, string Name, string Sql);

/// <summary>The steps of a backend's schema, from <c>schema/NNNN-name.sql</c>. A step that was released is never
/// changed: a new one is added.</summary>
internal static class Migrations
{
    /// <summary>All steps of a backend (the name of its folder), in order.</summary>
    public static IReadOnlyList<Migration> Of(string backend)
    {
        var assembly = Assembly.GetExecutingAssembly();
        string prefix = $"Storage/{backend}/schema/";
        var steps = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => new Migration(
                int.Parse(name.AsSpan(prefix.Length, 4), CultureInfo.InvariantCulture),
                name[prefix.Length..], Text(name)))
            .ToList();
        for (int i = 0; i < steps.Count; i++)
        {
            if (steps[i].Number != i + 1) throw new InvalidOperationException($"{backend}: no migration {i + 1}");
        }
        return steps;

        string Text(string name)
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return reader.ReadToEnd();
        }
    }

    /// <summary>The steps still to apply. Throws when the database is ahead of this program.</summary>
    public static IEnumerable<Migration> Pending(IReadOnlyList<Migration> all, int version, string database)
    {
        if (version > all.Count)
        {
            throw new StorageException(StorageFault.Unreadable,
                $"{database} was written by a newer Muster (schema {version}; this one knows up to {all.Count})");
        }
        return all.Skip(version);
    }
}
