using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Muster.Tests.Tidy;

/// <summary>The rules of style that a program can see. Each takes a file and names what breaks it.</summary>
static class TidyRules
{
    public const int FileLinesMax = 600, MethodLinesMax = 70, ColumnsMax = 120;

    static readonly string[] EmptyNames = ["Manager", "Helper", "Helpers", "Util", "Utils", "Impl"];

    // Written in two pieces, so that this file does not break its own rule.
    static readonly string[] MachinePaths = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"];
    static readonly string[] RegistryHosts =
    [
        "nuget" + ".org", "npmjs" + ".", "pypi" + ".org", "deb.debian" + ".org", "arti" + "factory",
        "/v3/index" + ".json",
    ];
    static readonly string LeftoverMark = "FIX" + "ME";

    /// <summary>For all text files: what tells of the machine that somebody worked on.</summary>
    public static IEnumerable<Finding> CheckText(SourceFile file)
    {
        for (int i = 0; i < file.Lines.Length; i++)
        {
            string line = file.Lines[i];
            foreach (string path in MachinePaths.Where(path => line.Contains(path, StringComparison.Ordinal)))
            {
                yield return new(file.Path, i + 1, $"path of a machine: {path}");
            }
            foreach (string host in RegistryHosts.Where(host => line.Contains(host, StringComparison.Ordinal)))
            {
                yield return new(file.Path, i + 1, $"package registry: {host}");
            }
            if (!line.Contains(LeftoverMark, StringComparison.Ordinal)) continue;
            yield return new(file.Path, i + 1, $"leftover {LeftoverMark}");
        }
    }

    /// <summary>For C# files.</summary>
    public static IEnumerable<Finding> CheckCSharp(SourceFile file) =>
    [
        .. Layout(file), .. LongMethods(file), .. Clocks(file), .. Names(file), .. DeadCode(file), .. NoTest(file),
    ];

    static IEnumerable<Finding> Layout(SourceFile file)
    {
        int count = file.Lines.Length - 1; // After the last line end there is an empty string.
        if (count > FileLinesMax) yield return new(file.Path, count, $"file of {count} lines, {FileLinesMax} at most");
        if (!file.Text.EndsWith('\n') || file.Text.EndsWith("\n\n", StringComparison.Ordinal))
        {
            yield return new(file.Path, file.Lines.Length, "does not end with one line end");
        }
        for (int i = 0; i < file.Lines.Length; i++)
        {
            string line = file.Lines[i];
            int columns = line.EnumerateRunes().Count();
            if (columns > ColumnsMax) yield return new(file.Path, i + 1, $"{columns} columns, {ColumnsMax} at most");
            if (line.Contains('\t', StringComparison.Ordinal)) yield return new(file.Path, i + 1, "tab");
            if (columns > 0 && char.IsWhiteSpace(line[^1])) yield return new(file.Path, i + 1, "trailing white space");
        }
    }

    static IEnumerable<Finding> LongMethods(SourceFile file)
    {
        foreach (var node in file.Root.DescendantNodes())
        {
            if (!IsMethod(node)) continue;
            // Attributes (the data of a theory) and the comment stand before the method and do not count.
            var attributes = node.ChildNodes().OfType<AttributeListSyntax>().LastOrDefault();
            var first = attributes is null ? node.GetFirstToken() : attributes.GetLastToken().GetNextToken();
            int start = SourceFile.Line(first.GetLocation());
            int lines = node.GetLocation().GetLineSpan().EndLinePosition.Line + 2 - start;
            if (lines > MethodLinesMax) yield return TooLong(start, lines);
        }
        var statements = file.Root.ChildNodes().OfType<GlobalStatementSyntax>()
            .Where(global => global.Statement is not LocalFunctionStatementSyntax).ToList();
        int top = statements.Sum(global => global.GetText().Lines.Count - 1);
        if (top > MethodLinesMax) yield return TooLong(SourceFile.Line(statements[0]), top);

        static bool IsMethod(SyntaxNode node) =>
            node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax;

        Finding TooLong(int line, int lines) =>
            new(file.Path, line, $"method of {lines} lines, {MethodLinesMax} at most");
    }

    /// <summary>The time comes from a TimeProvider everywhere, so that a test can set it.</summary>
    static IEnumerable<Finding> Clocks(SourceFile file) =>
        from access in file.Root.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
        where access.Name.Identifier.Text is "Now" or "UtcNow" or "Today"
        where access.Expression.ToString().Split('.')[^1] is "DateTime" or "DateTimeOffset"
        select new Finding(file.Path, SourceFile.Line(access), $"{access}: ask a TimeProvider");

    static IEnumerable<Finding> Names(SourceFile file) =>
        from node in file.Root.DescendantNodes()
        let name = (node as BaseTypeDeclarationSyntax)?.Identifier ?? (node as DelegateDeclarationSyntax)?.Identifier
        where name is not null && EmptyNames.Any(ending => name.Value.Text.EndsWith(ending, StringComparison.Ordinal))
        let line = SourceFile.Line(name.Value.GetLocation())
        select new Finding(file.Path, line, $"{name} says nothing about what it is");

    /// <summary>A comment that ends like code and that the compiler would take for code.</summary>
    static IEnumerable<Finding> DeadCode(SourceFile file) =>
        from trivia in file.Root.DescendantTrivia()
        where trivia.IsKind(SyntaxKind.SingleLineCommentTrivia)
        where IsCode(trivia.ToString()[2..].Trim())
        select new Finding(file.Path, SourceFile.Line(trivia.GetLocation()), "commented-out code");

    static bool IsCode(string comment)
    {
        if (comment.EndsWith(';')) return IsStatement(comment);
        if (comment.EndsWith('{')) return IsStatement(comment + "}") || IsMember(comment + "}");
        return comment is "}" or "};" || comment.EndsWith('}') && IsMember(comment);
    }

    static bool IsStatement(string text)
    {
        var statement = SyntaxFactory.ParseStatement(text, options: SourceTree.Parsing);
        if (statement.ContainsDiagnostics || statement.FullSpan.Length != text.Length) return false;
        // One word is an expression to the parser, and two are a declaration; to a reader they are prose.
        return statement switch
        {
            ExpressionStatementSyntax { Expression: IdentifierNameSyntax } => false,
            LocalDeclarationStatementSyntax local => local.Declaration.Variables.Any(v => v.Initializer is not null),
            _ => true,
        };
    }

    static bool IsMember(string text) =>
        SyntaxFactory.ParseMemberDeclaration(text, options: SourceTree.Parsing) is { ContainsDiagnostics: false } member
        && member.FullSpan.Length == text.Length;

    static IEnumerable<Finding> NoTest(SourceFile file)
    {
        if (!file.Path.EndsWith("Tests.cs", StringComparison.Ordinal)) yield break;
        bool any = file.Root.DescendantNodes().OfType<AttributeSyntax>().Select(attribute => attribute.Name.ToString())
            .Any(name => name.EndsWith("Fact", StringComparison.Ordinal)
                || name.EndsWith("Theory", StringComparison.Ordinal));
        // A contract whose tests are in a base class is run by classes without any of their own.
        any |= file.Root.DescendantNodes().OfType<BaseTypeSyntax>()
            .Any(type => type.ToString().Contains("Contract", StringComparison.Ordinal));
        if (!any) yield return new(file.Path, 1, "a file of tests without a test");
    }
}
