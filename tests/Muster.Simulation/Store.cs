using System.Collections.Immutable;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;

namespace Muster.Simulation;

/// <summary>What of the room is on disk: all of a batch or nothing of it.</summary>
internal sealed class Store(World world)
{
    static readonly Jid RoomAddress = Jid.Parse("garden@muc.x");
    long _lastId;

    /// <summary>The archive in order of ids.</summary>
    public List<RoomEffect.Archive> Archive { get; } = [];

    /// <summary>Commits that failed.</summary>
    public int Failures { get; private set; }

    /// <summary>The room as stored.</summary>
    public RoomSnapshot Room { get; private set; } = new()
    {
        Address = RoomAddress,
        Options = new RoomOptions { Persistent = true, AllowMultipleSessions = true, MembersByDefault = true },
        Secret = [.. new byte[Muster.Core.Rooms.Room.SecretBytes]],
        CreatedAt = default,
        Affiliations = [new AffiliationEntry(Jid.Parse("romeo@x"), Affiliation.Owner)],
    };

    /// <summary>An id greater than any before.</summary>
    public long NextId() => ++_lastId;

    /// <summary>Number of messages archived with a smaller id.</summary>
    public int CountBefore(long id)
    {
        int count = Archive.Count;
        while (count > 0 && Archive[count - 1].Id >= id) count--;
        return count;
    }

    /// <summary>The newest messages that belong to the history.</summary>
    public IEnumerable<HistoryEntry> History(int count) => Archive
        .Where(entry => entry.Kind == RoomMessageKind.Message).TakeLast(count)
        .Select(entry => new HistoryEntry(entry.Id, entry.At, entry.Stanza));

    /// <summary>Takes a batch. False: the disk failed, and nothing of it is there.</summary>
    public bool TryCommit(IReadOnlyList<RoomEffect> batch)
    {
        if (!batch.Any(effect => effect is RoomEffect.Archive or RoomEffect.Persist)) return true;
        if (world.IsStormy && world.Chance(0.03))
        {
            Failures++;
            return false;
        }
        foreach (var effect in batch)
        {
            if (effect is RoomEffect.Archive archive) Archive.Add(archive);
            else if (effect is RoomEffect.Persist persist) Apply(persist.Change);
        }
        return true;
    }

    void Apply(RoomChange change) => Room = change switch
    {
        RoomChange.Created created => created.Snapshot,
        RoomChange.Configured configured => Room with { Options = configured.Options, Profile = configured.Profile },
        RoomChange.SubjectSet subject => Room with { Subject = subject.Subject },
        RoomChange.AffiliationSet set => Room with { Affiliations = Without(set.Entry.User).Add(set.Entry) },
        RoomChange.AffiliationRemoved removed => Room with { Affiliations = Without(removed.User) },
        _ => throw new SimulationException($"unexpected change {change}"),
    };

    ImmutableArray<AffiliationEntry> Without(Jid user) => Room.Affiliations.RemoveAll(entry => entry.User == user);
}
