using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Muster.Server.Storage.Sqlite;

/// <summary>
/// Chooses the native SQLite: the system's when it is newer than the one in the package, for the distribution patches
/// its own and the package that can be had is from 2021.
/// </summary>
internal static class SqliteLibrary
{
    const string Bundled = "e_sqlite3";
    const string OfSystem = "libsqlite3.so.0";

    static readonly Lazy<bool> Loaded = new(() =>
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        raw.FreezeProvider();
        return true;
    });

    /// <summary>Must have been called before the first connection is made.</summary>
    public static void Load() => _ = Loaded.Value;

    static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != Bundled) return 0; // the runtime's own rules
        NativeLibrary.TryLoad(Bundled, assembly, searchPath, out nint bundled);
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad(OfSystem, out nint system)) return bundled;
        return bundled == 0 || Version(system) > Version(bundled) ? system : bundled;
    }

    static int Version(nint library) =>
        NativeLibrary.TryGetExport(library, "sqlite3_libversion_number", out nint function)
            ? Marshal.GetDelegateForFunctionPointer<LibraryVersionNumber>(function)()
            : 0;

    delegate int LibraryVersionNumber();
}
