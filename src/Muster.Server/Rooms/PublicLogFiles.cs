using System.Text;
using Muster.Core.RoomLogs;

namespace Muster.Server.Rooms;

/// <summary>Appends lines to the file of a room's day, begins that file, and ends the one before it.</summary>
sealed class PublicLogFiles(string root, RoomLogStyle style)
{
    /// <summary>Writes lines of one room and one day: all of them or, with an exception, none.</summary>
    public async ValueTask Append(IReadOnlyList<PublicLogLine> lines)
    {
        var (at, page) = (lines[0].At, lines[0].Page);
        string folder = Path.Combine(root, RoomLogFile.Folder(page.Room, style));
        var day = DateOnly.FromDateTime(at.Date);
        string path = Path.Combine(folder, RoomLogFile.Name(day, style));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var file =
            new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        long length = file.Seek(0, SeekOrigin.End);
        var text = new StringBuilder();
        DateOnly? previous = length == 0 && style.IsHtml ? FindPrevious(folder, day) : null;
        if (length == 0 && style.IsHtml) RoomLogHtml.AppendTop(text, page, at, previous, style);
        foreach (var line in lines)
        {
            if (style.IsHtml) RoomLogHtml.AppendLine(text, line.At, line.Event, style);
            else RoomLogPlain.Append(text, line.At, line.Event);
        }
        await Write(file, length, text);
        if (previous is not { } before) return;
        try
        {
            await End(Path.Combine(folder, RoomLogFile.Name(before, style)), day);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Somebody moved or locked the old page. It is readable without its end, and the new line is written.
        }
    }

    /// <summary>Adds the end of a page that a later day follows, unless it is there.</summary>
    async ValueTask End(string path, DateOnly next)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        byte[] tail = new byte[RoomLogHtml.End.Length];
        if (file.Length >= tail.Length) file.Seek(-tail.Length, SeekOrigin.End);
        int read = await file.ReadAtLeastAsync(tail, tail.Length, throwOnEndOfStream: false);
        if (Encoding.ASCII.GetString(tail, 0, read) == RoomLogHtml.End) return;
        var text = new StringBuilder();
        RoomLogHtml.AppendEnd(text, next, style);
        await Write(file, file.Length, text);
    }

    // A full disk takes a part: half a line is worse than none.
    static async ValueTask Write(FileStream file, long length, StringBuilder text)
    {
        try
        {
            await file.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()));
        }
        catch (IOException)
        {
            file.SetLength(length);
            throw;
        }
    }

    /// <summary>The last day before another that has a file; null when there is none.</summary>
    DateOnly? FindPrevious(string folder, DateOnly day)
    {
        DateOnly? found = null;
        var depth = new EnumerationOptions { RecurseSubdirectories = style.HasSubfolders, MaxRecursionDepth = 2 };
        foreach (string path in Directory.EnumerateFiles(folder, "*", depth))
        {
            string name = Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/');
            if (RoomLogFile.TryDay(name, style, out var other) && other < day && (found is null || other > found))
                found = other;
        }
        return found;
    }
}
