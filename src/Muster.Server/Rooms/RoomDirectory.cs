using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Server.Storage;

namespace Muster.Server.Rooms;

/// <summary>
/// The list of rooms of a service (XEP-0045 §6.3, paged by XEP-0059): stored rooms from an index on disk, temporary
/// ones from memory, in order of their names.
/// </summary>
/// <remarks>Stored rooms are read a page at a time, so a hundred thousand of them cost nothing while nobody
/// looks.</remarks>
sealed class RoomDirectory(RoomService service)
{
    /// <summary>Rooms in one page at most, and when the client asks for no number.</summary>
    public const int PageMax = 100;

    const int HiddenMax = 1000;

    /// <summary>One page of the list.</summary>
    /// <param name="viewer">Who asks: hidden rooms are shown to those inside them, and to their owners and admins
    /// (muc.md §14).</param>
    /// <param name="request">Which page; null asks for the first.</param>
    public async ValueTask<DiscoItems> List(Jid viewer, ResultSetRequest? request)
    {
        request ??= new();
        int max = Math.Min(request.Max ?? PageMax, PageMax);
        var unlisted = await Unlisted(viewer);
        var stored = await Stored(request, max, unlisted.Count);
        long count = (stored.Count ?? 0) + unlisted.Count;
        if (max == 0) return new() { Page = new(null, null, (int)count) };

        var lines = Merge(stored.Rooms.Select(room => room.Room), unlisted.Keys);
        var page = Cut(lines, request, max, stored, unlisted);
        if (page.Count == 0) return new() { Page = new(null, null, (int)count) };
        return new()
        {
            Items = [.. page.Select(room => new DiscoItem(room, Title(room, stored, unlisted)))],
            Page = new(Name(page[0]), Name(page[^1]), (int)count, (int)Position(page[0], stored, unlisted)),
        };
    }

    /// <summary>The rooms that this viewer sees beside those stored and public, with their titles: temporary ones,
    /// hidden ones that the viewer is in, and hidden ones that it owns or administers, asleep or not.</summary>
    async ValueTask<SortedDictionary<Jid, string>> Unlisted(Jid viewer)
    {
        var found = new SortedDictionary<Jid, string>(Comparer<Jid>.Create(
            static (one, other) => string.CompareOrdinal(Name(one), Name(other))));
        foreach (var room in service.Live)
        {
            if (!(room.Stored && room.Public) && (room.Public || service.IsIn(viewer, room.Room)))
                found[room.Room] = room.Title;
        }
        var own = await service.Database.Rooms.OfUser(service.Settings.Service.ToString(), viewer.Bare,
            (int)Affiliation.Admin, HiddenMax);
        foreach (var room in own)
            if (!room.Public) found[room.Room] = room.Name;
        return found;
    }

    ValueTask<RoomIndexPage> Stored(ResultSetRequest request, int max, int unlisted)
    {
        var cursor = default(Jid);
        string? name = request.IsBackwards ? request.Before : request.After;
        if (!string.IsNullOrEmpty(name)) _ = Jid.TryCreate(name, service.Settings.Service.ToString(), null, out cursor);
        // By index, a temporary room may stand before any stored one: read enough to know each one's position.
        int skip = request.Index is { } index ? Math.Max(0, index - unlisted) : 0;
        return service.Database.Rooms.Index(new()
        {
            Service = service.Settings.Service.ToString(),
            PublicOnly = true,
            Cursor = cursor,
            Backwards = request.IsBackwards,
            Skip = skip,
            Max = Math.Max(1, max) + (request.Index is null ? 0 : unlisted),
            Count = true,
        });
    }

    static List<Jid> Cut(List<Jid> lines, ResultSetRequest request, int max, RoomIndexPage stored,
        SortedDictionary<Jid, string> unlisted)
    {
        if (request.Index is { } index)
            return [.. lines.Where(room => Position(room, stored, unlisted) >= index).Take(max)];
        if (request.IsBackwards)
        {
            var before = request.Before!.Length == 0 ? lines
                : lines.Where(room => string.CompareOrdinal(Name(room), request.Before) < 0);
            return [.. before.TakeLast(max)];
        }
        var after = request.After is null ? lines
            : lines.Where(room => string.CompareOrdinal(Name(room), request.After) > 0);
        return [.. after.Take(max)];
    }

    // Its place in the whole list, from 0: the stored and the unlisted rooms before it.
    static long Position(Jid room, RoomIndexPage stored, SortedDictionary<Jid, string> unlisted)
    {
        long storedBefore = (stored.FirstIndex ?? 0)
            + stored.Rooms.Count(other => string.CompareOrdinal(Name(other.Room), Name(room)) < 0);
        return storedBefore + unlisted.Keys.Count(other => string.CompareOrdinal(Name(other), Name(room)) < 0);
    }

    static List<Jid> Merge(IEnumerable<Jid> stored, IEnumerable<Jid> unlisted) =>
        [.. stored.Concat(unlisted).Distinct().OrderBy(Name, StringComparer.Ordinal)];

    // muc.md §14: the number of occupants is shown where the list of occupants is public.
    string Title(Jid room, RoomIndexPage stored, SortedDictionary<Jid, string> unlisted)
    {
        var live = service.FindLive(room);
        string title = live?.Title ?? unlisted.GetValueOrDefault(room)
            ?? stored.Rooms.FirstOrDefault(other => other.Room == room)?.Name ?? "";
        if (title.Length == 0) title = Name(room);
        if (live is null) return title;
        return live switch
        {
            { Public: false } => string.Create(CultureInfo.InvariantCulture, $"{title} (private, {live.Occupants})"),
            { PublicList: true } => string.Create(CultureInfo.InvariantCulture, $"{title} ({live.Occupants})"),
            _ => title,
        };
    }

    static string Name(Jid room) => room.Local.ToString();
}
