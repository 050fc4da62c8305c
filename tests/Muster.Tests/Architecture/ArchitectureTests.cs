using System.Xml.Linq;
using Muster.Tests.Tidy;

namespace Muster.Tests.Architecture;

/// <summary>The one-way rule between the projects, what keeps the pure ones pure, and the rule between the folders of
/// Muster.Server. The tables are the rule; to change it, change them.</summary>
public class ArchitectureTests
{
    // Project -> the one that it stands on.
    static readonly (string Project, string[] References)[] Projects =
    [
        ("Muster.Protocol", []),
        ("Muster.Core", ["Muster.Protocol"]),
        ("Muster.Server", ["Muster.Core"]),
        ("Muster", ["Muster.Server"]),
    ];

    // They decide and do nothing else: no I/O, clock, randomness, Task, log.
    static readonly string[] PureProjects = ["Muster.Protocol", "Muster.Core"];

    static readonly string[] PackagesOfPureProjects = ["Microsoft.CodeAnalysis.BannedApiAnalyzers"];

    static readonly string[] Banned =
    [
        "P:System.DateTime.Now", "P:System.DateTime.UtcNow", "P:System.DateTimeOffset.UtcNow", "T:System.TimeProvider",
        "M:System.Guid.NewGuid", "T:System.Random", "T:System.Security.Cryptography.RandomNumberGenerator",
        "N:System.Threading.Tasks", "T:System.Threading.Thread", "N:System.Threading.Channels", "N:System.Net.Sockets",
        "N:System.IO", "T:System.Environment", "T:System.Console",
    ];

    static XDocument Project(string name) =>
        XDocument.Load(Path.Combine(SourceTree.Root, "src", name, name + ".csproj"));

    static string[] Included(XDocument project, string item) =>
        [.. project.Descendants(item).Select(element => element.Attribute("Include")!.Value)];

    [Fact]
    public void Each_project_stands_on_the_one_before_it_alone()
    {
        foreach (var (name, references) in Projects)
        {
            string[] found = Included(Project(name), "ProjectReference");
            Assert.Equal(references, found.Select(path => Path.GetFileNameWithoutExtension(path)));
        }
        var folders = Directory.GetDirectories(Path.Combine(SourceTree.Root, "src")).Select(Path.GetFileName);
        Assert.Equal(Projects.Select(project => project.Project).Order(), folders.Order());
    }

    [Fact]
    public void Pure_projects_use_the_base_library_alone()
    {
        foreach (string name in PureProjects)
        {
            Assert.Equal(PackagesOfPureProjects, Included(Project(name), "PackageReference"));
            Assert.Empty(Included(Project(name), "FrameworkReference"));
            Assert.Empty(Included(Project(name), "Reference"));
            Assert.Equal("Microsoft.NET.Sdk", Project(name).Root!.Attribute("Sdk")!.Value);
        }
    }

    [Fact]
    public void Banned_symbols_are_banned_in_pure_projects()
    {
        string[] symbols = [.. from line in File.ReadLines(Path.Combine(SourceTree.Root, "src", "BannedSymbols.txt"))
                               select line.Split(';')[0]];
        Assert.Empty(Banned.Except(symbols));
        foreach (string name in PureProjects)
        {
            Assert.Equal(["../BannedSymbols.txt"], Included(Project(name), "AdditionalFiles"));
            // RS0030 is a warning, and here warnings are errors; nothing may take it back.
            Assert.DoesNotContain("RS0030", Project(name).ToString(), StringComparison.Ordinal);
        }
        foreach (string file in new[] { "Directory.Build.props", ".editorconfig" })
        {
            string text = File.ReadAllText(Path.Combine(SourceTree.Root, file));
            Assert.DoesNotContain("RS0030", text, StringComparison.Ordinal);
        }
        Assert.Contains("<TreatWarningsAsErrors>true</TreatWarningsAsErrors>",
            File.ReadAllText(Path.Combine(SourceTree.Root, "Directory.Build.props")), StringComparison.Ordinal);
        Finding.AssertNone(
            from file in SourceTree.CSharp
            where file.Path.StartsWith("src/", StringComparison.Ordinal)
            from line in Enumerable.Range(0, file.Lines.Length)
            where file.Lines[line].Contains("RS0030", StringComparison.Ordinal)
            select new Finding(file.Path, line + 1, "a banned symbol let through"));
    }

    [Fact]
    public void Folders_of_the_server_see_what_they_may() => Finding.AssertNone(ServerFolders.Check());

    [Fact]
    public void Namespaces_follow_folders() => Finding.AssertNone(
        SourceTree.CSharp.Where(file => !file.Path.StartsWith("scripts/", StringComparison.Ordinal))
            .SelectMany(Namespaces.Check));
}
