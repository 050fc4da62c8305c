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
        // From npm, not from Debian: fetched by ./test --all and ./run into this checkout.
        ["xmpp.js"] = ["tests/Muster.Interop/js/node_modules/@xmpp/client/package.json"],
        ["converse.js"] = ["artifacts/muster/chat/converse.min.js"],
        ["prosody"] = ["/usr/bin/prosody"],
        ["lua-unbound"] = ["/usr/lib/*/lua/5.4/lunbound.so", "/usr/lib/x86_64-linux-gnu/lua/5.4/lunbound.so"],
        ["biboumi"] = ["/usr/bin/biboumi"],
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
            string[] debian = [.. missing.Where(package => !package.EndsWith(".js", StringComparison.Ordinal))];
            string how = debian.Length == 0 ? "" : $"apt-get install {string.Join(' ', debian)}, or ";
            Skip = $"skip: needs {string.Join(' ', missing)} ({how}./test --all as root)";
        }
    }

    /// <summary>What the test needs.</summary>
    public IReadOnlyList<string> Packages { get; }

    /// <summary>Whether a package's program is on this machine.</summary>
    public static bool IsInstalled(string package) => Evidence[package].Any(pattern => Find(pattern).Any());

    static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    static string FindRoot(string folder) =>
        File.Exists(Path.Combine(folder, "Muster.slnx")) || Path.GetDirectoryName(folder) is not { } parent
            ? folder
            : FindRoot(parent);

    static IEnumerable<string> Find(string pattern)
    {
        if (pattern[0] != '/') pattern = Path.Combine(Root, pattern);
        int star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0) return File.Exists(pattern) ? [pattern] : [];
        string parent = pattern[..star].TrimEnd('/');
        return Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent).Select(d => d + pattern[(star + 1)..]).Where(File.Exists)
            : [];
    }
}
