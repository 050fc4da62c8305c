using Muster.Tests.Tidy;

namespace Muster.Tests.Architecture;

/// <summary>That the rule sees what it is for.</summary>
public class ServerFoldersTests
{
    static readonly HashSet<string> Beside = ["Services", "ServerHost"];

    [Theory]
    [InlineData("Net/A.cs", "using Muster.Server.Sessions;\nusing Muster.Server.Telemetry;", "")]
    [InlineData("Net/A.cs", "using Muster.Server.Net;\nusing Muster.Core.Rooms;\nusing System.Net;", "")]
    [InlineData("Net/A.cs", "using Muster.Server.Routing;", "1: Net must not see Routing")]
    [InlineData("Net/A.cs", "using static Muster.Server.Rooms.Mailbox;", "1: Net must not see Rooms")]
    [InlineData("Net/A.cs", "using M = Muster.Server.Rooms.Mailbox;", "1: Net must not see Rooms")]
    [InlineData("Net/A.cs", "global using global::Muster.Server.Rooms;", "1: Net must not see Rooms")]
    [InlineData("Net/A.cs", "class A { Muster.Server.Rooms.Mailbox _b; }", "1: Net must not see Rooms")]
    [InlineData("Net/A.cs", "class A { Server.Rooms.Mailbox _b; }", "1: Net must not see Rooms")]
    [InlineData("Net/A.cs", "class A { Rooms.Mailbox _b; }", "1: Net must not see Rooms")]
    [InlineData("Net/A.cs", "class A { int b = Muster.Server.Rooms.Mailbox.Size; }", "1: Net must not see Rooms")]
    [InlineData("Net/A.cs", "class A { object b = new Rooms.Mailbox(); }", "1: Net must not see Rooms")]
    [InlineData("Net/A.cs", "class A { int b = Rooms.Count; int c = x.Rooms.Count; }", "")]
    [InlineData("Storage/Sqlite/A.cs", "using Muster.Server.Storage.Sql;", "")]
    [InlineData("Storage/Sqlite/A.cs", "using Muster.Server.Telemetry;", "1: Storage must not see Telemetry")]
    [InlineData("Features/A.cs", "using Muster.Server.Http;", "1: Features must not see Http")]
    [InlineData("Features/A.cs", "class A(Services services) { int b = services.Local.Count; }", "")]
    [InlineData("Net/A.cs", "class A(Services services);", "1: Net must not see Services")]
    [InlineData("Net/A.cs", "class A { object b = ServerHost.A(); }", "1: Net must not see ServerHost")]
    [InlineData("Net/A.cs", "class A { object b = x.Services; object c = new D { Services = e }; }", "")]
    [InlineData("Net/A.cs", "class A { int[] Services { get; } object b = Services.Length; }", "")]
    [InlineData("Http/A.cs", "using Muster.Server.Net;", "")]
    [InlineData("ServerHost.cs", "using Muster.Server.Net;", "")]
    [InlineData("Misc/A.cs", "", "1: Misc is in no table of the architecture test")]
    public void Sights(string path, string text, string findings) =>
        Assert.Equal(findings, Found(ServerFolders.Check(new SourceFile(ServerFolders.Source + path, text), Beside)));

    [Theory]
    [InlineData("src/Muster.Server/Net/A.cs", "namespace Muster.Server.Net;", "")]
    [InlineData("src/Muster/A.cs", "namespace Muster;", "")]
    [InlineData("src/Muster/Program.cs", "return 0;", "")]
    [InlineData("src/Muster.Server/Net/A.cs", "namespace Muster.Server;",
        "1: namespace Muster.Server in the folder of Muster.Server.Net")]
    [InlineData("tests/Muster.Tests/A.cs", "namespace Muster.Tests { }", "1: namespace with braces")]
    public void Folders(string path, string text, string findings) =>
        Assert.Equal(findings, Found(Namespaces.Check(new SourceFile(path, text))));

    static string Found(IEnumerable<Finding> findings) =>
        string.Join('|', findings.Select(finding => $"{finding.Line}: {finding.Rule}"));
}
