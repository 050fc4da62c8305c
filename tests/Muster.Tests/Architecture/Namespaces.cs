using Microsoft.CodeAnalysis.CSharp.Syntax;
using Muster.Tests.Tidy;

namespace Muster.Tests.Architecture;

/// <summary>A file's namespace is its project and its folders.</summary>
static class Namespaces
{
    public static IEnumerable<Finding> Check(SourceFile file)
    {
        // src/Muster.Server/Net/Framing.cs -> Muster.Server.Net; the folder above the project does not count.
        string expected = string.Join('.', file.Path.Split('/')[1..^1]);
        foreach (var declared in file.Root.DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>())
        {
            int line = SourceFile.Line(declared);
            if (declared is NamespaceDeclarationSyntax) yield return new(file.Path, line, "namespace with braces");
            string name = declared.Name.ToString();
            if (name != expected) yield return new(file.Path, line, $"namespace {name} in the folder of {expected}");
        }
    }
}
