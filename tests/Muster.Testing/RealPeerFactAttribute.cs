using Xunit;

namespace Muster.Testing;

/// <summary>
/// A test that drives a real program of somebody else's. Where the program is not installed the test is skipped with a
/// line that names the package; under <c>./test --all</c> (MUSTER_TEST_ALL=1) nothing is skipped, so it fails instead.
/// </summary>
public sealed class RealPeerFactAttribute : FactAttribute
{
    // Package to install, and a file of it that tells that it is there.
    static readonly Dictionary<string, string[]> Evidence = new()
    {
        ["postgresql"] = ["/usr/lib/postgresql/*/bin/initdb", "/usr/local/bin/initdb", "/usr/bin/initdb"],
        ["python3-slixmpp"] = ["/usr/lib/python3/dist-packages/slixmpp/__init__.py"],
        ["unicode-data"] = ["/usr/share/unicode/UnicodeData.txt"],
        ["bzip2"] = ["/usr/bin/bzip2", "/bin/bzip2"],
        ["chromium"] = ["/usr/bin/chromium"],
        ["profanity"] = ["/usr/bin/profanity"],
        ["tmux"] = ["/usr/bin/tmux"],
        ["nodejs"] = ["/usr/bin/node", "/usr/local/bin/node", "/opt/*/bin/node"],
        ["prosody"] = ["/usr/bin/prosody"],
        ["ejabberd"] = ["/usr/sbin/ejabberdctl"],
    };

    /// <summary>Names the packages that the test needs.</summary>
    public RealPeerFactAttribute(params string[] packages)
    {
        Packages = packages;
        if (Environment.GetEnvironmentVariable("MUSTER_TEST_ALL") == "1") return;
        string[] missing = [.. packages.Where(package => !IsInstalled(package))];
        if (missing.Length > 0)
        {
            string names = string.Join(' ', missing);
            Skip = $"skip: needs {names} (apt-get install {names}, or ./test --all as root)";
        }
    }

    /// <summary>What the test needs.</summary>
    public IReadOnlyList<string> Packages { get; }

    /// <summary>Whether a package's program is on this machine.</summary>
    public static bool IsInstalled(string package) => Evidence[package].Any(pattern => Find(pattern).Any());

    static IEnumerable<string> Find(string pattern)
    {
        int star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0) return File.Exists(pattern) ? [pattern] : [];
        string parent = pattern[..star].TrimEnd('/');
        return Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent).Select(d => d + pattern[(star + 1)..]).Where(File.Exists)
            : [];
    }
}
