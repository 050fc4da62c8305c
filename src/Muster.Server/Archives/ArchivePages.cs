using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;

namespace Muster.Server.Archives;

/// <summary>What is read for one question: a page, or why there is none.</summary>
/// <param name="Entries">The messages, oldest first.</param>
/// <param name="Complete">Whether nothing follows in the direction of paging.</param>
/// <param name="Count">How many there are in all, when that was asked.</param>
sealed record ArchiveReading(IReadOnlyList<ArchiveEntry> Entries, bool Complete, long? Count = null);

/// <summary>Reads the pages that questions ask for. However large a page is asked for, no more is in memory than
/// <see cref="BytesMax"/> and a piece.</summary>
sealed class ArchivePages(IArchiveStore store, Func<ArchiveLimits> limits)
{
    /// <summary>Messages read from the store at a time.</summary>
    const int PieceMax = 50;
    /// <summary>Bytes of messages in a page: a page is shorter when its messages are long.</summary>
    const int BytesMax = 512 * 1024;

    /// <summary>Reads the page; null when an id that was named is not in the archive (XEP-0313 §4.1.3,
    /// §4.3.2).</summary>
    public async ValueTask<ArchiveReading?> Read(Jid archive, ArchiveRequest request)
    {
        long[] required = [.. request.Required.Distinct()];
        IReadOnlyList<ArchiveEntry> found = required.Length == 0 ? [] : await store.Find(archive, required);
        if (found.Count < required.Length) return null;
        int max = Math.Min(request.Max ?? limits().Default, limits().Max);
        var query = new ArchiveQuery
        {
            With = request.With.Bare,
            From = request.With.IsFull ? request.With : Jid.None,
            Start = request.Start,
            End = request.End,
            AfterId = request.AfterId,
            BeforeId = request.BeforeId,
            Cursor = request.Cursor,
            Backwards = request.IsBackwards,
            Max = max,
            Count = max == 0,
        };
        if (request.Ids is { } ids) return OfIds([.. found.Where(e => ids.Contains(e.Id) && query.Matches(e))], query);
        if (max > 0) return await ReadPieces(archive, query);
        var none = await store.Page(archive, query);
        return new ArchiveReading([], none.Complete, none.Count);
    }

    async ValueTask<ArchiveReading> ReadPieces(Jid archive, ArchiveQuery query)
    {
        var pieces = new List<ArchiveEntry>();
        long bytes = 0;
        while (true)
        {
            var piece = await store.Page(archive, query with { Max = Math.Min(PieceMax, query.Max - pieces.Count) });
            // Backwards the newest of the page comes first here; it is turned round at the end.
            foreach (var entry in query.Backwards ? piece.Entries.Reverse() : piece.Entries)
            {
                if (pieces.Count > 0 && bytes + entry.Stanza.Length > BytesMax) return Done(isComplete: false);
                bytes += entry.Stanza.Length;
                pieces.Add(entry);
            }
            if (piece.Complete || pieces.Count >= query.Max) return Done(piece.Complete);
            query = query with { Cursor = pieces[^1].Id };
        }

        ArchiveReading Done(bool isComplete)
        {
            if (query.Backwards) pieces.Reverse();
            return new(pieces, isComplete);
        }
    }

    // Few, and in memory already.
    static ArchiveReading OfIds(List<ArchiveEntry> found, ArchiveQuery query)
    {
        var rest = found.Where(e => query.Cursor is not { } at || (query.Backwards ? e.Id < at : e.Id > at)).ToList();
        var page = query.Backwards ? rest.TakeLast(query.Max) : rest.Take(query.Max);
        return new([.. page], rest.Count <= query.Max, query.Count ? found.Count : null);
    }
}

/// <summary>Sizes of pages (<c>mod_mam</c>).</summary>
/// <param name="Default">Messages in a page when the asker does not say.</param>
/// <param name="Max">Most messages in a page.</param>
sealed record ArchiveLimits(int Default, int Max);
