using System.Security.Cryptography;

namespace Muster.Server;

/// <summary>The folder where a server keeps what is its own: database, certificate, secrets. One server at a time uses
/// it.</summary>
static class DataFolder
{
    const int PepperBytes = 32;
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    const UnixFileMode World = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Makes the folder when it is missing, makes sure that it can be written and that strangers cannot look
    /// into it, and takes it for this process until the result is disposed.</summary>
    /// <exception cref="StartException">It cannot be had.</exception>
    public static IDisposable Open(string folder)
    {
        try
        {
            Make(folder);
            string probe = Path.Combine(folder, $".probe-{Environment.ProcessId}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"the data folder {folder} cannot be written: {error.Message}", error);
        }
        return Take(folder) ?? throw new StartException($"another server is using the data folder {folder}");
    }

    /// <summary>Whether a process uses the folder now.</summary>
    public static bool IsTaken(string folder)
    {
        using var taken = Take(folder);
        return taken is null;
    }

    // The system gives the lock back when the process ends, however it ends.
    static FileStream? Take(string folder)
    {
        try
        {
            string file = Path.Combine(folder, "lock");
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    static void Make(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }
        if (!Directory.Exists(folder)) Directory.CreateDirectory(folder, OwnerOnly);
        var mode = File.GetUnixFileMode(folder);
        // A folder that is somebody else's keeps its mode; the files in it that matter have their own.
        if ((mode & World) == 0) return;
        try
        {
            File.SetUnixFileMode(folder, mode & ~World);
        }
        catch (UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Random bytes made once and kept: from them come the salts of accounts that do not exist, which must not
    /// change from one start to the next, as those of real accounts do not.</summary>
    public static byte[] Pepper(string folder)
    {
        string file = Path.Combine(folder, "pepper");
        if (File.Exists(file) && File.ReadAllBytes(file) is { Length: PepperBytes } kept) return kept;
        byte[] made = RandomNumberGenerator.GetBytes(PepperBytes);
        WritePrivate(file, made);
        return made;
    }

    /// <summary>Writes a file that only its owner may read.</summary>
    public static void WritePrivate(string file, ReadOnlySpan<byte> bytes)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new FileStream(file, options);
        stream.Write(bytes);
    }
}
