using System.Collections.Immutable;
using Muster.Core.Rooms;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

/// <summary>A message in the archive of an account.</summary>
internal sealed record Letter(long Id, Message Message, bool IsIncoming);

/// <summary>What is stored: of a transaction all or nothing. It outlives the process; nothing else does.</summary>
internal sealed class Disk(World world, Jid owner)
{
    sealed record Count(Jid Account, uint Handled, DateTimeOffset? EndedAt);

    readonly Dictionary<string, Count> _counts = [];
    readonly Dictionary<Jid, RoomSnapshot> _rooms = [];
    readonly Dictionary<Jid, List<RoomEffect.Archive>> _archives = [];
    readonly Dictionary<Jid, List<Letter>> _letters = [];
    readonly Dictionary<Jid, List<Message>> _offline = [];
    long _lastId;

    /// <summary>Commits that failed.</summary>
    public int Failures { get; private set; }
    /// <summary>Sessions kept over a planned restart.</summary>
    public List<SessionSnapshot> Sessions { get; } = [];
    /// <summary>Who was inside the rooms.</summary>
    public Dictionary<Jid, ImmutableArray<OccupantSnapshot>> Occupants { get; } = [];
    /// <summary>Rooms of other servers that sessions are in, with their addresses there.</summary>
    public Dictionary<(Jid Session, Jid Room), Jid> Joins { get; } = [];
    /// <summary>Whether all is saved: without it the next start takes the end for a crash.</summary>
    public bool EndedInOrder { get; set; }

    /// <summary>An id greater than any before.</summary>
    public long NextId() => ++_lastId;

    // ---- Rooms ----

    /// <summary>The archive of a room in order of ids.</summary>
    public List<RoomEffect.Archive> Archive(Jid room) => _archives.TryGetValue(room, out var found) ? found
        : _archives[room] = [];

    /// <summary>The room as stored.</summary>
    public RoomSnapshot Room(Jid room) => _rooms.TryGetValue(room, out var found) ? found : _rooms[room] = new()
    {
        Address = room,
        Options = new RoomOptions { Persistent = true, AllowMultipleSessions = true, MembersByDefault = true },
        Secret = [.. new byte[Core.Rooms.Room.SecretBytes]],
        CreatedAt = default,
        Affiliations = [new AffiliationEntry(owner, Affiliation.Owner)],
    };

    /// <summary>Number of messages archived with a smaller id.</summary>
    public int CountBefore(Jid room, long id)
    {
        var archive = Archive(room);
        int count = archive.Count;
        while (count > 0 && archive[count - 1].Id >= id) count--;
        return count;
    }

    /// <summary>The newest messages that belong to the history.</summary>
    public IEnumerable<HistoryEntry> History(Jid room, int count) => Archive(room)
        .Where(entry => entry.Kind == RoomMessageKind.Message).TakeLast(count)
        .Select(entry => new HistoryEntry(entry.Id, entry.At, entry.Stanza));

    /// <summary>Takes what a batch of a room promised, and what its senders' sessions have got done with it. False: the
    /// disk failed, and nothing of it is there.</summary>
    public bool TryCommit(Jid room, IReadOnlyList<RoomEffect> batch, IEnumerable<(string Token, uint Count)> counts)
    {
        if (Fails()) return false;
        foreach (var effect in batch)
        {
            if (effect is RoomEffect.Archive archive) Archive(room).Add(archive);
            else if (effect is RoomEffect.Persist persist) _rooms[room] = Apply(Room(room), persist.Change);
        }
        foreach (var (token, count) in counts) Keep(token, count);
        return true;
    }

    static RoomSnapshot Apply(RoomSnapshot room, RoomChange change) => change switch
    {
        RoomChange.Created created => created.Snapshot,
        RoomChange.Configured configured => room with { Options = configured.Options, Profile = configured.Profile },
        RoomChange.SubjectSet subject => room with { Subject = subject.Subject },
        RoomChange.AffiliationSet set => room with
        {
            Affiliations = Without(room, set.Entry.User).Add(set.Entry),
        },
        RoomChange.AffiliationRemoved removed => room with { Affiliations = Without(room, removed.User) },
        _ => throw new SimulationException($"unexpected change {change}"),
    };

    static ImmutableArray<AffiliationEntry> Without(RoomSnapshot room, Jid user) =>
        room.Affiliations.RemoveAll(entry => entry.User == user);

    bool Fails()
    {
        if (!world.IsStormy || !world.Chance(0.03)) return false;
        Failures++;
        return true;
    }

    // ---- Accounts ----

    /// <summary>The archive of an account in order of ids.</summary>
    public List<Letter> Letters(Jid account) => _letters.TryGetValue(account, out var found) ? found
        : _letters[account] = [];

    /// <summary>What waits for the account's next login.</summary>
    public List<Message> Offline(Jid account) => _offline.TryGetValue(account, out var found) ? found
        : _offline[account] = [];

    /// <summary>Keeps a message for both sides, with the count of the session that sent it.</summary>
    public bool TryKeep(Message message, long id, string? token, uint count)
    {
        if (Fails()) return false;
        if (!message.From.SameBare(message.To)) Letters(message.From.Bare).Add(new(id, message, IsIncoming: false));
        Letters(message.To.Bare).Add(new(id, message, IsIncoming: true));
        if (token is not null) Keep(token, count);
        return true;
    }

    // ---- Sessions ----

    public void Begin(Jid account, string token, uint count = 0) => _counts.Add(token, new(account, count, null));

    public void Keep(string token, uint count)
    {
        if (_counts.TryGetValue(token, out var row)) _counts[token] = row with { Handled = count };
    }

    public void End(string token, uint count)
    {
        if (_counts.TryGetValue(token, out var row)) _counts[token] = row with { Handled = count, EndedAt = world.Now };
    }

    public void Forget(string token) => _counts.Remove(token);

    /// <summary>The count of a session that has ended; null when there is none, or it was told once and that is
    /// all.</summary>
    public uint? FindEnded(Jid account, string token)
    {
        if (!_counts.TryGetValue(token, out var row) || row.Account != account || row.EndedAt is null) return null;
        if (world.Fault == Fault.TellCountOnce) _counts.Remove(token);
        return row.Handled;
    }

    /// <summary>A process starts: the sessions that it takes up; all others have ended now.</summary>
    public IReadOnlyList<SessionSnapshot> Start()
    {
        if (!EndedInOrder)
        {
            Sessions.Clear();
            Occupants.Clear();
        }
        EndedInOrder = false;
        SessionSnapshot[] kept = [.. Sessions];
        Sessions.Clear();
        var alive = kept.Select(session => session.Terms.Token!).ToHashSet();
        foreach (var (token, row) in _counts.ToArray())
            if (row.EndedAt is null && !alive.Contains(token)) _counts[token] = row with { EndedAt = world.Now };
        return kept;
    }
}
