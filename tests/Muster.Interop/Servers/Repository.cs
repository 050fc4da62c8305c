namespace Muster.Interop.Servers;

/// <summary>Where the checkout is, seen from the running tests.</summary>
static class Repository
{
    /// <summary>The folder with the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>The folder that tests leave for a person to look at: screenshots, logs.</summary>
    public static string Artifacts { get; } =
        Directory.CreateDirectory(Path.Combine(Root, "artifacts", "interop")).FullName;

    /// <summary>The built program: what ./run builds when it is there, else the debug build the tests came
    /// with.</summary>
    public static string Program
    {
        get
        {
            string built = Path.Combine(Root, "artifacts", "muster", "muster");
            return File.Exists(built)
                ? built
                : Path.Combine(Root, "src", "Muster", "bin", "Debug", "net10.0", "muster");
        }
    }

    static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Muster.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("no Muster.slnx above the tests");
    }
}
