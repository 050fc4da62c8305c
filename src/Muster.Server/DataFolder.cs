using System.Security.Cryptography;

namespace Muster.Server;

/// <summary>The folder where a server keeps what is its own: database, certificate, secrets.</summary>
static class DataFolder
{
    const int PepperBytes = 32;

    /// <summary>Makes the folder when it is missing, and makes sure that it can be written.</summary>
    /// <exception cref="StartException">It cannot.</exception>
    public static void Open(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            string probe = Path.Combine(folder, $".probe-{Environment.ProcessId}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"the data folder {folder} cannot be written: {error.Message}", error);
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
