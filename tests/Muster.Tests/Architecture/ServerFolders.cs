using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Muster.Tests.Tidy;

namespace Muster.Tests.Architecture;

/// <summary>Which folder of Muster.Server may see which. What is read is the text: the usings, names that are written
/// out, and the types beside the folders.</summary>
static class ServerFolders
{
    public const string Source = "src/Muster.Server/";

    // Folder -> the folders that it sees besides itself. One that is not here may see nothing.
    static readonly Dictionary<string, string[]> Sees = new()
    {
        // The bottom: each is of use without the server around it.
        ["Storage"] = [],
        ["Config"] = [],
        ["Telemetry"] = [],
        ["Loops"] = [],
        ["Cluster"] = [],
        ["Sessions"] = ["Storage", "Telemetry"],
        ["Archives"] = ["Sessions", "Storage", "Telemetry"],
        ["Accounts"] = ["Sessions", "Storage", "Telemetry"],
        // A connection speaks to sessions, never to what they speak to.
        ["Net"] = ["Sessions", "Peers", "Components", "Telemetry", "Loops"],
        // What connections of other servers and those who route have to say to each other.
        ["Peers"] = [],
        // The same of external components.
        ["Components"] = [],
        // Features: the local domain asks the table that they have filled in.
        ["Routing"] = ["Archives", "Sessions", "Peers", "Components", "Storage", "Telemetry", "Features"],
        ["Rooms"] = ["Archives", "Routing", "Sessions", "Storage", "Telemetry", "Loops"],
        // Rooms: what a room service answers for itself is a feature.
        ["Features"] = ["Routing", "Rooms", "Archives", "Sessions", "Storage", "Telemetry", "Accounts"],
        ["Http"] = [All],
    };

    // Types beside the folders may see all, so only some may be named, and only by these folders.
    static readonly Dictionary<string, string[]> TypesBeside = new()
    {
        ["Services"] = ["Features", "Rooms", "Http"],
        ["DataFolder"] = ["Net"],
    };

    // What breaks the rule today: file, folder, and what would mend it. One that is mended must go from here.
    static readonly (string Path, string Sees, string Mend)[] Debts =
    [
        ("Net/ClientConnection.Read.cs", "Storage", "the look-up of an account says itself that storage is away"),
    ];

    const string All = "*";

    static readonly Lazy<HashSet<string>> Beside = new(() =>
        [.. from file in SourceTree.CSharp
            where file.Path.StartsWith(Source, StringComparison.Ordinal) && Folder(file) is null
            from type in file.Root.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
            where type.Parent is BaseNamespaceDeclarationSyntax
            select type.Identifier.Text]);

    /// <summary>What the files see but may not, and the debts that are paid.</summary>
    public static IEnumerable<Finding> Check()
    {
        var findings = SourceTree.CSharp.Where(file => file.Path.StartsWith(Source, StringComparison.Ordinal))
            .SelectMany(file => Check(file, Beside.Value)).ToList();
        foreach (var (path, sees, _) in Debts)
        {
            int found = findings.RemoveAll(finding => finding.Path == Source + path
                && finding.Rule.EndsWith(" " + sees, StringComparison.Ordinal));
            if (found == 0) findings.Add(new(Source + path, 1, $"does not see {sees} any more: drop the debt"));
        }
        return findings;
    }

    /// <summary>What one file sees but may not, given the names of the types beside the folders.</summary>
    public static IEnumerable<Finding> Check(SourceFile file, IReadOnlySet<string> beside)
    {
        if (Folder(file) is not { } folder) yield break;
        if (!Sees.TryGetValue(folder, out string[]? seen))
        {
            yield return new(file.Path, 1, $"{folder} is in no table of the architecture test");
            yield break;
        }
        if (seen.Contains(All)) yield break;
        foreach (var node in file.Root.DescendantNodes())
        {
            if (FolderNamed(node) is { } named && named != folder && !seen.Contains(named))
            {
                yield return new(file.Path, SourceFile.Line(node), $"{folder} must not see {named}");
            }
            if (node is IdentifierNameSyntax { Identifier.Text: var type } && beside.Contains(type) && IsFirst(node)
                && !HasMember(file, type) && !TypesBeside.GetValueOrDefault(type, []).Contains(folder))
            {
                yield return new(file.Path, SourceFile.Line(node), $"{folder} must not see {type}");
            }
        }
    }

    static string? Folder(SourceFile file)
    {
        string[] parts = file.Path[Source.Length..].Split('/');
        return parts.Length > 1 ? parts[0] : null;
    }

    /// <summary>The folder of the server that a name leads into: Muster.Server.X.., Server.X.., or X.. alone, which a
    /// neighbour may write.</summary>
    static string? FolderNamed(SyntaxNode node)
    {
        if (node is not (QualifiedNameSyntax or MemberAccessExpressionSyntax)) return null;
        // The whole name is looked at, not its beginnings.
        if (node.Parent is QualifiedNameSyntax or MemberAccessExpressionSyntax) return null;
        if (node.Parent is BaseNamespaceDeclarationSyntax) return null;
        string name = node.ToString().Replace("global::", "", StringComparison.Ordinal);
        foreach (string space in new[] { "Muster.Server.", "Server.", "" })
        {
            if (!name.StartsWith(space, StringComparison.Ordinal)) continue;
            string first = name[space.Length..].Split('.', 2)[0];
            // In an expression a name that is first may be a property; in the name of a type it is a folder.
            if (Sees.ContainsKey(first) && (space.Length > 0 || node is QualifiedNameSyntax)) return first;
        }
        return null;
    }

    // Then the name alone is the member and not the type.
    static bool HasMember(SourceFile file, string name) =>
        file.Root.DescendantNodes()
            .Any(node => node is PropertyDeclarationSyntax property && property.Identifier.Text == name);

    // The beginning of a name: not what stands behind a dot, nor the name of an argument or an initialised property.
    static bool IsFirst(SyntaxNode node) => node.Parent switch
    {
        MemberAccessExpressionSyntax access => access.Expression == node,
        QualifiedNameSyntax name => name.Left == node,
        NameColonSyntax or NameEqualsSyntax or MemberBindingExpressionSyntax => false,
        AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax } assignment => assignment.Left != node,
        _ => true,
    };
}
