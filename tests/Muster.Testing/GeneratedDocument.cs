using System.Runtime.CompilerServices;
using Xunit;

namespace Muster.Testing;

/// <summary>A file of the repository that is written from the code: checked in, so that it can be read, and compared,
/// so that it stays true.</summary>
public static class GeneratedDocument
{
    /// <summary>Compares the file with what the code says; with UPDATE=1 in the environment it is written.</summary>
    /// <param name="path">Path from the root of the repository.</param>
    /// <param name="text">What the code says.</param>
    /// <param name="caller">Left out by callers.</param>
    public static void Compare(string path, string text, [CallerFilePath] string caller = "")
    {
        string file = Path.Combine(RootAbove(caller), path);
        if (Environment.GetEnvironmentVariable("UPDATE") == "1")
        {
            File.WriteAllText(file, text);
            return;
        }
        Assert.True(File.Exists(file) && File.ReadAllText(file) == text,
            $"{path} is not what the code says: run this test with UPDATE=1 and look at the difference");
    }

    static string RootAbove(string file)
    {
        var folder = new FileInfo(file).Directory;
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Muster.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException($"no Muster.slnx above {file}");
    }
}
