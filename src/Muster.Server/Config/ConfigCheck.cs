namespace Muster.Server.Config;

/// <summary>Reads and checks a configuration; all that is wrong is told, not only the first thing.</summary>
static class ConfigCheck
{
    /// <summary>Reads a configuration file.</summary>
    /// <returns>No configuration when any problem is an error; warnings come with one.</returns>
    public static (ServerConfig? Config, IReadOnlyList<ConfigProblem> Problems) Run(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return (null, [new ConfigProblem(true, path, 1, 1, "", $"the configuration cannot be read: {e.Message}")]);
        }
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        try
        {
            return Check(Toml.Parse(bytes, path), folder, looksForFiles: true);
        }
        catch (TomlError e)
        {
            return (null, [AsProblem(e)]);
        }
    }

    /// <summary>Reads a configuration from text; files that it names are not looked for.</summary>
    /// <param name="toml">The text.</param>
    /// <param name="file">What messages call it.</param>
    public static (ServerConfig? Config, IReadOnlyList<ConfigProblem> Problems) Parse(
        string toml, string file = "muster.toml")
    {
        try
        {
            return Check(Toml.Parse(toml, file), Directory.GetCurrentDirectory(), looksForFiles: false);
        }
        catch (TomlError e)
        {
            return (null, [AsProblem(e)]);
        }
    }

    static (ServerConfig?, IReadOnlyList<ConfigProblem>) Check(TomlDocument document, string folder, bool looksForFiles)
    {
        var reading = new Reading(document, folder);
        var config = Section.Read(reading, document.Root, static s => new ServerConfig(s));
        ConfigRules.Check(config, reading, looksForFiles);
        var problems = reading.Problems.OrderBy(p => p.Line).ThenBy(p => p.Column).ToList();
        return (problems.Exists(p => p.IsError) ? null : config, problems);
    }

    static ConfigProblem AsProblem(TomlError e) => new(true, e.File, e.Line, e.Column, "", e.Text);
}
