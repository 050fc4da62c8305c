using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    static readonly byte[] Salt = [1, 2, 3, 0, 255];

    static RoomCommit Creation(Jid room, string name = "", bool isPublic = true, bool persistent = true) => new()
    {
        Room = room,
        Creation = new RoomCreation(Salt, Noon),
        Options = new StoredRoomOptions("{\"title\":\"é\"}", name, isPublic, persistent),
    };

    async Task<StoredRoom> LoadGarden() => (await Db.Rooms.Load(Garden))!;

    [ContractFact]
    public async Task A_room_comes_back_as_it_was_stored()
    {
        Assert.Null(await Db.Rooms.Load(Garden));
        var owner = new StoredAffiliation { Jid = Romeo, Affiliation = 50 };
        var member = new StoredAffiliation
        {
            Jid = Juliet, Affiliation = 20, Nick = "Júlia", Reason = "because", OfflineDelivery = false,
            Registration = "{}", Version = 17,
        };
        var subject = new StoredSubject("Roses\n\"red\"", "Romeo", Noon.AddMinutes(1));
        await Db.Rooms.Commit([Creation(Garden, "The Garden") with
        {
            Subject = subject,
            AffiliationsSet = [owner, member],
            LastActivityAt = Noon.AddMinutes(2),
        }]);

        var room = await LoadGarden();
        Assert.Equal(Garden, room.Jid);
        Assert.Equal(new StoredRoomOptions("{\"title\":\"é\"}", "The Garden", true, true), room.Options);
        Assert.Equal(subject, room.Subject);
        Assert.Equal(Salt, room.OccupantIdSalt.ToArray());
        Assert.Equal(Noon, room.CreatedAt);
        Assert.Equal(Noon.AddMinutes(2), room.LastActivityAt);
        Assert.Equal([member, owner], room.Affiliations); // in order of their JIDs
        Assert.Equal(0, room.LastArchiveId);
    }

    [ContractFact]
    public async Task A_room_without_subject_differs_from_one_with_an_empty_one()
    {
        await Db.Rooms.Commit([Creation(Garden)]);
        Assert.Null((await LoadGarden()).Subject);
        await Db.Rooms.Commit([new RoomCommit { Room = Garden, Subject = new StoredSubject("", "Romeo", Noon) }]);
        Assert.Equal(new StoredSubject("", "Romeo", Noon), (await LoadGarden()).Subject);
    }

    [ContractFact]
    public async Task A_commit_changes_only_what_it_names()
    {
        await Db.Rooms.Commit([Creation(Garden) with
        {
            Subject = new StoredSubject("old", "r", Noon),
            AffiliationsSet =
            [
                new StoredAffiliation { Jid = Romeo, Affiliation = 50 },
                new StoredAffiliation { Jid = Juliet, Affiliation = 20, OfflineDelivery = true },
                new StoredAffiliation { Jid = Jid.Parse("evil.example"), Affiliation = 1 },
            ],
        }]);
        await Db.Rooms.Commit([new RoomCommit
        {
            Room = Garden,
            Options = new StoredRoomOptions("{}", "Renamed", false, true),
            AffiliationsRemoved = [Jid.Parse("evil.example"), Garden],
            AffiliationsSet = [new StoredAffiliation { Jid = Juliet, Affiliation = 40 }],
        }]);
        var room = await LoadGarden();
        Assert.Equal(new StoredRoomOptions("{}", "Renamed", false, true), room.Options);
        Assert.Equal("old", room.Subject!.Text);
        Assert.Equal(Salt, room.OccupantIdSalt.ToArray());
        Assert.Equal(Noon, room.LastActivityAt);
        Assert.Equal(
            [
                new StoredAffiliation { Jid = Juliet, Affiliation = 40 },
                new StoredAffiliation { Jid = Romeo, Affiliation = 50 },
            ],
            room.Affiliations);
    }

    [ContractFact]
    public async Task Messages_are_committed_with_the_room()
    {
        await Db.Rooms.Commit([Creation(Garden) with { Archive = [Entry(Garden, 7), Entry(Garden, 8)] }]);
        await Db.Rooms.Commit([new RoomCommit
        {
            Room = Garden,
            Archive = [Entry(Garden, 9)],
            Replaced = [new ArchiveReplacement(7, ArchiveKind.Tombstone, Utf8("<gone/>")),
                new ArchiveReplacement(77, ArchiveKind.Tombstone, Utf8("<gone/>"))],
            LastActivityAt = Noon.AddHours(1),
        }]);
        Assert.Equal(9, (await LoadGarden()).LastArchiveId);
        var entries = (await Db.Archive.Page(Garden, new ArchiveQuery { Max = 9 })).Entries;
        Assert.Equal([7, 8, 9], entries.Select(entry => entry.Id));
        Assert.Equal("<gone/>", Text(entries[0].Stanza));
        Assert.Equal(ArchiveKind.Tombstone, entries[0].Kind);
        Assert.Equal(Noon.AddSeconds(7), entries[0].At);
    }

    [ContractFact]
    public async Task A_room_that_is_not_stored_can_still_archive()
    {
        await Db.Rooms.Commit([new RoomCommit { Room = Garden, Archive = [Entry(Garden, 1)] }]);
        Assert.Null(await Db.Rooms.Load(Garden));
        Assert.Equal(1, (await Db.Archive.Range(Garden))!.Value.LastId);
    }

    [ContractFact]
    public async Task A_room_is_never_created_over_another()
    {
        await Db.Rooms.Commit([Creation(Garden, "first")]);
        await Fails(StorageFault.Conflict, async () => await Db.Rooms.Commit([Creation(Garden, "second")]));
        Assert.Equal("first", (await LoadGarden()).Options.Name);

        var balcony = Jid.Parse("balcony@conference.example.org");
        var both = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            try
            {
                await Db.Rooms.Commit([Creation(balcony, $"by {i}")]);
                return 1;
            }
            catch (StorageException e) when (e.Fault == StorageFault.Conflict)
            {
                return 0;
            }
        })));
        Assert.Equal(1, both.Sum());
    }

    [ContractFact]
    public async Task Changing_a_room_that_is_not_stored_is_refused()
    {
        RoomCommit[] changes =
        [
            new() { Room = Garden, Options = new StoredRoomOptions("{}", "", true, true) },
            new() { Room = Garden, Subject = new StoredSubject("x", "y", Noon) },
            new() { Room = Garden, AffiliationsSet = [new StoredAffiliation { Jid = Romeo, Affiliation = 1 }] },
            new() { Room = Garden, AffiliationsRemoved = [Romeo] },
            new() { Room = Garden, LastActivityAt = Noon },
        ];
        foreach (var change in changes)
        {
            var commit = change with { Archive = [Entry(Garden, 1)] };
            await Fails(StorageFault.Conflict, async () => await Db.Rooms.Commit([commit]));
        }
        Assert.Null(await Db.Rooms.Load(Garden));
        Assert.Null(await Db.Archive.Range(Garden)); // nothing of the refused commits was kept
    }

    [ContractFact]
    public async Task A_commit_for_several_rooms_is_all_or_nothing()
    {
        var balcony = Jid.Parse("balcony@conference.example.org");
        await Fails(StorageFault.Conflict, async () => await Db.Rooms.Commit(
        [
            Creation(Garden) with { Archive = [Entry(Garden, 1)] },
            new RoomCommit { Room = balcony, LastActivityAt = Noon },
        ]));
        Assert.Null(await Db.Rooms.Load(Garden));
        Assert.Null(await Db.Archive.Range(Garden));

        var later = new RoomCommit { Room = balcony, LastActivityAt = Noon.AddDays(1) };
        await Db.Rooms.Commit([Creation(Garden), Creation(balcony), later]);
        Assert.Equal(Noon.AddDays(1), (await Db.Rooms.Load(balcony))!.LastActivityAt);
    }

    [ContractFact]
    public async Task A_commit_that_makes_no_sense_is_a_bug_of_the_caller()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await Db.Rooms.Commit([new RoomCommit { Room = Garden, Creation = new RoomCreation(Salt, Noon) }]));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await Db.Rooms.Commit([new RoomCommit { Room = Garden, Archive = [Entry(Romeo, 1)] }]));
    }

    [ContractFact]
    public async Task A_destroyed_room_leaves_its_tombstone_and_no_messages()
    {
        await Db.Rooms.Commit([Creation(Garden) with
        {
            AffiliationsSet = [new StoredAffiliation { Jid = Romeo, Affiliation = 50 }],
            Archive = [.. Enumerable.Range(1, 1200).Select(i => Entry(Garden, i))],
        }]);
        var tombstone = new RoomTombstone(Garden, Jid.Parse("new@conference.example.org"), "moved", Noon.AddDays(31));
        await Db.Rooms.Commit([new RoomCommit { Room = Garden, Removal = new RoomRemoval(true, tombstone) }]);

        Assert.Null(await Db.Rooms.Load(Garden));
        Assert.Null(await Db.Archive.Range(Garden));
        Assert.Equal(tombstone, await Db.Rooms.FindTombstone(Garden, Noon));
        Assert.Null(await Db.Rooms.FindTombstone(Garden, Noon.AddDays(31)));
        Assert.Null(await Db.Rooms.FindTombstone(Juliet, Noon));

        // Somebody may use the name again: nothing of the old room is in the new one.
        await Db.Rooms.Commit([Creation(Garden) with { Archive = [Entry(Garden, 1)] }]);
        var room = await LoadGarden();
        Assert.Empty(room.Affiliations);
        Assert.Equal(1, room.LastArchiveId);
        Assert.Null(await Db.Rooms.FindTombstone(Garden, Noon));
    }

    [ContractFact]
    public async Task A_room_that_was_never_stored_is_destroyed_as_well()
    {
        await Db.Rooms.Commit([new RoomCommit { Room = Garden, Archive = [Entry(Garden, 1)] }]);
        var tombstone = new RoomTombstone(Garden, Jid.None, "over", Noon.AddDays(31));
        await Db.Rooms.Commit([new RoomCommit
        {
            Room = Garden, Archive = [Entry(Garden, 2)], Removal = new RoomRemoval(true, tombstone),
        }]);
        Assert.Null(await Db.Archive.Range(Garden));
        Assert.Equal(tombstone, await Db.Rooms.FindTombstone(Garden, Noon));
    }

    [ContractFact]
    public async Task A_room_can_go_and_leave_its_archive()
    {
        await Db.Rooms.Commit([Creation(Garden) with { Archive = [Entry(Garden, 1)] }]);
        await Db.Rooms.Commit([new RoomCommit { Room = Garden, Removal = new RoomRemoval(false, null) }]);
        Assert.Null(await Db.Rooms.Load(Garden));
        Assert.Equal(1, (await Db.Archive.Range(Garden))!.Value.LastId);
        Assert.Null(await Db.Rooms.FindTombstone(Garden, Noon));
    }

    [ContractFact]
    public async Task Tombstones_end()
    {
        await Db.Rooms.Commit([Creation(Garden)]);
        await Db.Rooms.Commit([new RoomCommit
        {
            Room = Garden,
            Removal = new RoomRemoval(true, new RoomTombstone(Garden, Jid.None, "", Noon)),
        }]);
        Assert.Equal(0, await Db.Rooms.RemoveExpiredTombstones(Noon.AddSeconds(-1)));
        Assert.Equal(1, await Db.Rooms.RemoveExpiredTombstones(Noon));
    }

    async Task<string[]> Listed(RoomIndexQuery query) =>
        [.. (await Db.Rooms.Index(query)).Rooms.Select(room => room.Room.Local.ToString())];

    [ContractFact]
    public async Task Rooms_are_listed_in_pages_that_go_both_ways()
    {
        const string service = "conference.example.org";
        for (int i = 0; i < 10; i++)
        {
            await Db.Rooms.Commit([Creation(
                Jid.Parse($"room{i}@{service}"), $"Title {i}", isPublic: i % 2 == 0, persistent: i != 4)]);
        }
        await Db.Rooms.Commit([Creation(Jid.Parse("room0@other.example.org"))]);
        var room3 = Jid.Parse($"room3@{service}");
        await Db.Rooms.Commit([new RoomCommit { Room = room3, LastActivityAt = Noon.AddDays(9) }]);
        var all = new RoomIndexQuery { Service = service, Max = 3, Count = true };

        var page = await Db.Rooms.Index(all);
        Assert.Equal(new RoomIndexEntry(Jid.Parse($"room0@{service}"), "Title 0", true, true, Noon), page.Rooms[0]);
        Assert.Equal((false, 10L, 0L), (page.Complete, page.Count, page.FirstIndex));
        page = await Db.Rooms.Index(all with { Cursor = Jid.Parse($"room6@{service}") });
        Assert.Equal((true, 10L, 7L), (page.Complete, page.Count, page.FirstIndex));
        Assert.Equal(["room7", "room8", "room9"], page.Rooms.Select(room => room.Room.Local.ToString()));
        page = await Db.Rooms.Index(all with { Backwards = true });
        Assert.Equal((false, 10L, 7L), (page.Complete, page.Count, page.FirstIndex));

        Assert.Equal(["room1", "room2"], await Listed(all with
        {
            Backwards = true, Cursor = room3, Max = 2,
        }));
        Assert.Equal(["room5", "room6", "room7"], await Listed(all with { Skip = 5 }));
        Assert.Equal(["room3"], await Listed(all with { Cursor = Jid.Parse($"room21@{service}"), Max = 1 })); // gone
        var open = all with { PublicOnly = true, Max = 9 };
        Assert.Equal(["room0", "room2", "room4", "room6", "room8"], await Listed(open));
        page = await Db.Rooms.Index(open with { PersistentOnly = true, Cursor = Jid.Parse($"room2@{service}") });
        Assert.Equal((4L, 2L), (page.Count, page.FirstIndex));
        Assert.DoesNotContain("room3", await Listed(all with { InactiveSince = Noon.AddDays(1), Max = 99 }));

        page = await Db.Rooms.Index(new RoomIndexQuery { Service = "nowhere", Max = 3, Count = true });
        Assert.Empty(page.Rooms);
        Assert.Equal((true, 0L, null), (page.Complete, page.Count, page.FirstIndex));
        Assert.Null((await Db.Rooms.Index(all with { Count = false })).Count);
    }

    [ContractFact]
    public async Task Rooms_are_found_by_a_part_of_their_name()
    {
        const string service = "conference.example.org";
        await Db.Rooms.Commit([
            Creation(Jid.Parse($"garden@{service}"), "Der ÄPFEL-Garten 100%"),
            Creation(Jid.Parse($"under_score@{service}"), "a\\b"),
            Creation(Jid.Parse($"underXscore@{service}"), "100 things"),
        ]);
        var query = new RoomIndexQuery { Service = service, Max = 9 };
        Assert.Equal(["garden"], await Listed(query with { Text = "äpfel" }));
        Assert.Equal(["garden"], await Listed(query with { Text = "RDEN" }));
        Assert.Equal(["garden"], await Listed(query with { Text = "0%" }));
        Assert.Equal(["under_score"], await Listed(query with { Text = "r_s" }));
        Assert.Equal(["under_score"], await Listed(query with { Text = "\\" }));
        Assert.Empty(await Listed(query with { Text = "'" }));
        await Db.Rooms.Commit([new RoomCommit
        {
            Room = Garden, Options = new StoredRoomOptions("{}", "Orchard", true, true),
        }]);
        Assert.Equal(["garden"], await Listed(query with { Text = "orchard" }));
        Assert.Empty(await Listed(query with { Text = "äpfel" }));
    }

    [ContractFact]
    public async Task The_rooms_of_a_user_are_found_by_affiliation()
    {
        Jid one = Jid.Parse("aone@conference.example.org"), two = Jid.Parse("btwo@conference.example.org");
        foreach (var (room, affiliation, isPublic) in ((Jid, int, bool)[])[(two, 2, false), (one, 1, true),
            (Jid.Parse("none@conference.example.org"), -1, true), (Jid.Parse("x@other.example.org"), 3, true)])
        {
            await Db.Rooms.Commit([new RoomCommit
            {
                Room = room,
                Creation = new RoomCreation(Salt, Noon),
                Options = new StoredRoomOptions("{}", $"{room.Local}!", isPublic, true),
                AffiliationsSet = [new StoredAffiliation { Jid = Romeo, Affiliation = affiliation }],
            }]);
        }
        Assert.Equal([(one, "aone!", true), (two, "btwo!", false)],
            (await Db.Rooms.OfUser("conference.example.org", Romeo, 1, 10)).Select(r => (r.Room, r.Name, r.Public)));
        Assert.Equal([two], (await Db.Rooms.OfUser("conference.example.org", Romeo, 2, 10)).Select(r => r.Room));
        Assert.Equal([one], (await Db.Rooms.OfUser("conference.example.org", Romeo, 1, 1)).Select(r => r.Room));
        Assert.Empty(await Db.Rooms.OfUser("conference.example.org", Juliet, -1, 10));
    }

    [ContractFact]
    public async Task A_nick_of_a_service_belongs_to_one_and_one_has_one_nick()
    {
        const string service = "conference.example.org";
        Assert.True(await Db.Nicks.TrySet(service, Romeo, "Romeo"));
        Assert.True(await Db.Nicks.TrySet(service, Romeo, "Romeo"));
        Assert.False(await Db.Nicks.TrySet(service, Juliet, "Romeo"));
        Assert.True(await Db.Nicks.TrySet("other.example.org", Juliet, "Romeo"));
        Assert.Equal(Romeo, await Db.Nicks.FindOwner(service, "Romeo"));
        Assert.Equal("Romeo", await Db.Nicks.Find(service, Romeo));
        Assert.Null(await Db.Nicks.Find(service, Juliet));

        Assert.True(await Db.Nicks.TrySet(service, Romeo, "Montague"));
        Assert.True((await Db.Nicks.FindOwner(service, "Romeo")).IsNone);
        Assert.True(await Db.Nicks.TrySet(service, Juliet, "Romeo"));
        Assert.True(await Db.Nicks.Remove(service, Juliet));
        Assert.False(await Db.Nicks.Remove(service, Juliet));
        Assert.True((await Db.Nicks.FindOwner(service, "Romeo")).IsNone);
    }
}
