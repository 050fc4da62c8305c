using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Core.RoomLogs;

/// <summary>Where the log of a room's day lies, below the folder of all logs; always with <c>/</c>.</summary>
public static class RoomLogFile
{
    // File systems allow 255 bytes.
    const int NameBytesMax = 200;
    const int NamePrefixLength = 100;
    const string Unsafe = "/\\:*?\"<>|%~";

    /// <summary>The folder of a room.</summary>
    public static string Folder(Jid room, RoomLogStyle style) =>
        SafeName(style.IsNamedByAddress ? room.Bare.ToString() : room.Local.ToString());

    /// <summary>The file of a day, from the room's folder.</summary>
    public static string Name(DateOnly day, RoomLogStyle style) =>
        day.ToString(style.HasSubfolders ? "yyyy/MM/dd" : "yyyy-MM-dd", CultureInfo.InvariantCulture) + Ext(style);

    /// <summary>The day of a file that <see cref="Name"/> made; false for all other files.</summary>
    public static bool TryDay(string name, RoomLogStyle style, out DateOnly day)
    {
        day = default;
        return name.EndsWith(Ext(style), StringComparison.Ordinal) && DateOnly.TryParseExact(
            name.AsSpan(0, name.Length - Ext(style).Length), style.HasSubfolders ? "yyyy/MM/dd" : "yyyy-MM-dd",
            CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
    }

    /// <summary>A link from one day's page to another's.</summary>
    public static string Link(DateOnly to, RoomLogStyle style) =>
        style.HasSubfolders ? "../../" + Name(to, style) : Name(to, style);

    /// <summary>A link from a day's page to the room's folder.</summary>
    public static string Up(RoomLogStyle style) => style.HasSubfolders ? "../../" : "./";

    static string Ext(RoomLogStyle style) => style.IsHtml ? ".html" : ".txt";

    /// <summary>A name of one folder, a different one for each address: what could lead elsewhere or what some file
    /// system does not allow is written as %XX, and a long name is cut and ends in its hash.</summary>
    static string SafeName(string name)
    {
        var safe = new StringBuilder(name.Length);
        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            // "." and ".." name folders, and other names with a leading dot are hidden.
            bool isUnsafe = c < ' ' || c == '\x7f' || Unsafe.Contains(c, StringComparison.Ordinal)
                || (c == '.' && (i == 0 || i == name.Length - 1));
            if (isUnsafe) safe.Append(CultureInfo.InvariantCulture, $"%{(int)c:X2}");
            else safe.Append(c);
        }
        if (Encoding.UTF8.GetByteCount(safe.ToString()) <= NameBytesMax) return safe.ToString();
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(name));
        var prefix = new StringBuilder();
        foreach (var rune in safe.ToString().EnumerateRunes())
        {
            if (Encoding.UTF8.GetByteCount(prefix.ToString()) + rune.Utf8SequenceLength > NamePrefixLength) break;
            prefix.Append(rune.ToString());
        }
        return $"{prefix}~{Convert.ToHexStringLower(hash.AsSpan(0, 16))}";
    }
}
