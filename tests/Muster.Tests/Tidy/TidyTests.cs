namespace Muster.Tests.Tidy;

/// <summary>Style as a test: the rules over all sources, and samples that show that each rule sees what it is
/// for.</summary>
public class TidyTests
{
    [Fact]
    public void All_sources_are_tidy() => Finding.AssertNone(SourceTree.CSharp.SelectMany(TidyRules.CheckCSharp));

    [Fact]
    public void No_file_tells_of_a_machine() => Finding.AssertNone(SourceTree.AllText.SelectMany(TidyRules.CheckText));

    [Fact]
    public void The_sources_are_found()
    {
        Assert.Contains(SourceTree.CSharp, file => file.Path == "src/Muster.Protocol/Addresses/Jid.cs");
        Assert.Contains(SourceTree.CSharp, file => file.Path == "scripts/unicode.cs");
        Assert.Contains(SourceTree.CSharp, file => file.Path == "tests/Muster.Tests/Tidy/TidyTests.cs");
        Assert.DoesNotContain(SourceTree.CSharp, file => file.Path.EndsWith(".g.cs", StringComparison.Ordinal));
        Assert.DoesNotContain(SourceTree.CSharp, file => file.Path.Contains("/obj/", StringComparison.Ordinal));
        Assert.Contains(SourceTree.AllText, file => file.Path == "Directory.Build.props");
    }

    [Theory]
    [InlineData("class A { }", "1: does not end with one line end")]
    [InlineData("class A { }\n\n", "3: does not end with one line end")]
    [InlineData("class A { } \n", "1: trailing white space")]
    [InlineData("class A\r\n{\r\n}\r\n", "1: trailing white space|2: trailing white space|3: trailing white space")]
    [InlineData("class A\n{\n\tint _b;\n}\n", "3: tab")]
    [InlineData("class A { long _b = DateTime.Now.Ticks; }\n", "1: DateTime.Now: ask a TimeProvider")]
    [InlineData("class A { object _b = DateTimeOffset.UtcNow; }\n", "1: DateTimeOffset.UtcNow: ask a TimeProvider")]
    [InlineData("class A { object _b = clock.UtcNow; string c = \"DateTime.Now\"; }\n", "")]
    [InlineData("class RoomManager { }\n", "1: RoomManager says nothing about what it is")]
    [InlineData("struct A { enum StringUtils { } }\n", "1: StringUtils says nothing about what it is")]
    [InlineData("class Helper { }\n", "1: Helper says nothing about what it is")]
    [InlineData("class Helpful { int _impl; }\n", "")]
    [InlineData("// var x = Compute(1);\nclass A { }\n", "1: commented-out code")]
    [InlineData("class A { } // return x;\n", "1: commented-out code")]
    [InlineData("// if (x > 3) {\n// y = 5;\n", "1: commented-out code|2: commented-out code")]
    [InlineData("class A\n{\n    // }\n}\n", "3: commented-out code")]
    [InlineData("// public int Size { get; set; }\n", "1: commented-out code")]
    [InlineData("// void Run() {\n", "1: commented-out code")]
    [InlineData("// The list is closed; nothing is added;\n// not found;\n// done;\nclass A { }\n", "")]
    [InlineData("// RFC 6120 §8.1 {see there}\n/// <code>var x = 1;</code>\nclass A { }\n", "")]
    [InlineData("class A { string _b = \"// x = 1;\"; }\n", "")]
    public void Rules_for_code(string text, string findings) =>
        Assert.Equal(findings, Found("a.cs", text));

    [Fact]
    public void Rules_about_size()
    {
        string column = "// " + new string('x', 118) + "\n";
        Assert.Equal("1: 121 columns, 120 at most", Found("a.cs", column));
        Assert.Equal("", Found("a.cs", column[1..]));

        string lines = string.Concat(Enumerable.Repeat("// x\n", 601));
        Assert.Equal("601: file of 601 lines, 600 at most", Found("a.cs", lines));
        Assert.Equal("", Found("a.cs", lines[5..]));

        Assert.Equal("", Found("a.cs", Method(70)));
        Assert.Equal("6: method of 71 lines, 70 at most", Found("a.cs", Method(71)));

        string script = string.Concat(Enumerable.Range(0, 71).Select(i => $"Run({i});\n"));
        Assert.Equal("1: method of 71 lines, 70 at most", Found("a.cs", script));

        static string Method(int lines) =>
            $$"""
            class A
            {
                /// <summary>A comment.</summary>
                [Theory]
                [InlineData(1)]
                void Run()
                {
            {{string.Concat(Enumerable.Repeat("        Step();\n", lines - 3))}}    }
            }

            """;
    }

    [Fact]
    public void Rules_about_files_of_tests()
    {
        const string Rule = "1: a file of tests without a test";
        Assert.Equal(Rule, Found("tests/ATests.cs", "class ATests { }\n"));
        Assert.Equal("", Found("tests/Driver.cs", "class Driver { }\n"));
        const string Real = "class ATests { [RealPeerFact(\"x\")] void B() { } }\n";
        Assert.Equal("", Found("tests/ATests.cs", Real));
        const string Contract = "class ATests : StorageContract { }\n";
        Assert.Equal("", Found("tests/ATests.cs", Contract));
    }

    // Put together from pieces, as this file is checked too.
    [Theory]
    [InlineData("see /wo" + "rk/main", "1: path of a machine: /wo" + "rk/")]
    [InlineData("\"resolved\": \"https://registry.npm" + "js.org/x\"", "1: package registry: npm" + "js.")]
    [InlineData("// FI" + "XME", "1: leftover FI" + "XME")]
    [InlineData("the work/root of /usr/share", "")]
    public void Rules_for_text(string text, string findings) =>
        Assert.Equal(findings, Found(TidyRules.CheckText(new SourceFile("a.json", text))));

    static string Found(string path, string text) => Found(TidyRules.CheckCSharp(new SourceFile(path, text)));

    static string Found(IEnumerable<Finding> findings) =>
        string.Join('|', findings.Select(finding => $"{finding.Line}: {finding.Rule}"));
}
