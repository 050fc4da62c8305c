using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    private protected static ArchiveEntry Entry(Jid archive, long id, ArchiveKind kind = ArchiveKind.Message) => new(
        archive, id, Noon.AddSeconds(id), Jid.Parse("romeo@example.org/orchard"), Romeo, kind,
        Utf8($"<message id='{id}'><body>number {id} é</body></message>"));

    /// <summary>Ten entries, ids 10, 20, ... 100; each third from Juliet, the fifth a subject.</summary>
    async Task<List<ArchiveEntry>> TenEntries()
    {
        var entries = new List<ArchiveEntry>();
        for (int i = 1; i <= 10; i++)
        {
            var entry = Entry(Garden, 10 * i, i == 5 ? ArchiveKind.Subject : ArchiveKind.Message);
            entries.Add(i % 3 == 0 ? entry with { With = Juliet } : entry);
        }
        await Db.Archive.Append(entries);
        await Db.Archive.Append([Entry(Romeo, 15), Entry(Romeo, 1000)]); // another archive
        return entries;
    }

    async Task<List<long>> Ids(ArchiveQuery query) =>
        [.. (await Db.Archive.Page(Garden, query)).Entries.Select(entry => entry.Id)];

    [ContractFact]
    public async Task An_archived_message_comes_back_as_it_was_stored()
    {
        var entry = Entry(Garden, 1, ArchiveKind.Other) with
        {
            Id = long.MaxValue - 1, From = Jid.None, With = Jid.None,
        };
        await Db.Archive.Append([entry]);
        var stored = Assert.Single(await Db.Archive.Find(Garden, [entry.Id, 5]));
        Assert.Equal(Text(entry.Stanza), Text(stored.Stanza));
        Assert.Equal(entry, stored with { Stanza = entry.Stanza });
        Assert.Empty(await Db.Archive.Find(Juliet, [entry.Id]));
    }

    [ContractFact]
    public async Task Pages_go_forwards_and_backwards()
    {
        await TenEntries();
        Assert.Equal([10, 20, 30], await Ids(new ArchiveQuery { Max = 3 }));
        Assert.Equal([40, 50], await Ids(new ArchiveQuery { Max = 2, Cursor = 30 }));
        Assert.Equal([90, 100], await Ids(new ArchiveQuery { Max = 2, Backwards = true }));
        Assert.Equal([70, 80], await Ids(new ArchiveQuery { Max = 2, Backwards = true, Cursor = 90 }));
        Assert.Equal([40], await Ids(new ArchiveQuery { Max = 1, Cursor = 33 })); // an id that is not there
        Assert.Empty(await Ids(new ArchiveQuery { Max = 3, Cursor = 100 }));
        Assert.Empty(await Ids(new ArchiveQuery { Max = 0 }));
    }

    [ContractFact]
    public async Task A_page_tells_whether_more_follows()
    {
        await TenEntries();
        async Task<bool> complete(ArchiveQuery query) => (await Db.Archive.Page(Garden, query)).Complete;
        Assert.False(await complete(new ArchiveQuery { Max = 9 }));
        Assert.True(await complete(new ArchiveQuery { Max = 10 }));
        Assert.True(await complete(new ArchiveQuery { Max = 1, Cursor = 90 }));
        Assert.False(await complete(new ArchiveQuery { Max = 9, Backwards = true }));
        Assert.True(await complete(new ArchiveQuery { Max = 1, Backwards = true, Cursor = 20 }));
        Assert.False(await complete(new ArchiveQuery { Max = 0 }));
        Assert.True((await Db.Archive.Page(Juliet, new ArchiveQuery { Max = 5 })).Complete);
    }

    [ContractFact]
    public async Task Filters_decide_the_set_and_the_count()
    {
        await TenEntries();
        Assert.Equal([30, 60, 90], await Ids(new ArchiveQuery { Max = 9, With = Juliet }));
        Assert.Equal([50], await Ids(new ArchiveQuery { Max = 9, Kind = ArchiveKind.Subject }));
        Assert.Equal([30, 40], await Ids(
            new ArchiveQuery { Max = 9, Start = Noon.AddSeconds(30), End = Noon.AddSeconds(40) }));
        Assert.Equal([40], await Ids(
            new ArchiveQuery { Max = 9, Start = Noon.AddSeconds(30).AddTicks(1), End = Noon.AddSeconds(49) }));
        Assert.Equal([80, 90], await Ids(new ArchiveQuery { Max = 9, AfterId = 70, BeforeId = 100 }));
        Assert.Empty(await Ids(new ArchiveQuery { Max = 9, Start = Noon.AddDays(1) }));
        Assert.Empty(await Ids(new ArchiveQuery { Max = 9, End = Noon }));
        Assert.Empty(await Ids(new ArchiveQuery { Max = 9, Start = Noon.AddSeconds(60), End = Noon.AddSeconds(50) }));
        Assert.Equal(10, (await Ids(new ArchiveQuery
        {
            Max = 99,
            Start = DateTimeOffset.MinValue,
            End = DateTimeOffset.MaxValue,
        })).Count);

        var page = await Db.Archive.Page(Garden,
            new ArchiveQuery { Max = 1, With = Juliet, Cursor = 60, Backwards = true, Count = true });
        Assert.Equal(30, Assert.Single(page.Entries).Id);
        Assert.Equal(3, page.Count);
        Assert.Null((await Db.Archive.Page(Garden, new ArchiveQuery { Max = 1 })).Count);
        page = await Db.Archive.Page(Juliet, new ArchiveQuery { Max = 1, Count = true });
        Assert.Equal(0, page.Count);
    }

    [ContractFact]
    public async Task All_filters_work_together_in_both_directions()
    {
        await TenEntries();
        foreach (bool backwards in new[] { false, true })
        {
            Assert.Equal([60], await Ids(new ArchiveQuery
            {
                Max = 5, With = Juliet, Kind = ArchiveKind.Message, Start = Noon.AddSeconds(20),
                End = Noon.AddSeconds(80), AfterId = 30, BeforeId = 90, Cursor = backwards ? 85 : 31,
                Backwards = backwards, Count = true,
            }));
        }
    }

    [ContractFact]
    public async Task Ids_may_arrive_out_of_order_and_pages_are_in_order()
    {
        await Db.Archive.Append([Entry(Garden, 30), Entry(Garden, 10)]);
        await Db.Archive.Append([Entry(Garden, 20)]);
        Assert.Equal([10, 20, 30], await Ids(new ArchiveQuery { Max = 9 }));
    }

    [ContractFact]
    public async Task An_id_is_used_once_and_a_refused_batch_leaves_nothing()
    {
        await TenEntries();
        await Fails(StorageFault.Conflict, async () => await Db.Archive.Append([Entry(Garden, 5), Entry(Garden, 10)]));
        await Fails(StorageFault.Conflict, async () => await Db.Archive.Append([Entry(Garden, 6), Entry(Garden, 6)]));
        Assert.Equal(10, (await Ids(new ArchiveQuery { Max = 99 })).Count);
        await Db.Archive.Append([]);
    }

    [ContractFact]
    public async Task The_ends_of_an_archive_are_known()
    {
        Assert.Null(await Db.Archive.Range(Garden));
        await TenEntries();
        Assert.Equal(
            new ArchiveRange(10, Noon.AddSeconds(10), 100, Noon.AddSeconds(100)), await Db.Archive.Range(Garden));
    }

    [ContractFact]
    public async Task Old_messages_are_purged_piece_by_piece()
    {
        await TenEntries();
        Assert.Equal(2, await Db.Archive.Purge(Garden, Noon.AddSeconds(40), 2));
        Assert.Equal(1, await Db.Archive.Purge(Garden, Noon.AddSeconds(40), 2));
        Assert.Equal(0, await Db.Archive.Purge(Garden, Noon.AddSeconds(40), 2));
        Assert.Equal(40, (await Db.Archive.Range(Garden))!.Value.FirstId);
        Assert.Equal(15, (await Db.Archive.Range(Romeo))!.Value.FirstId);
        Assert.Equal(2, await Db.Archive.Purge(Jid.None, Noon.AddSeconds(41), 100)); // 40 here, 15 there
        Assert.Equal(50, (await Db.Archive.Range(Garden))!.Value.FirstId);
        Assert.Equal(1000, (await Db.Archive.Range(Romeo))!.Value.FirstId);
    }

    [ContractFact]
    public async Task A_full_address_is_found_apart_from_the_rest_of_its_account()
    {
        var other = Jid.Parse("romeo@example.org/balcony");
        await Db.Archive.Append([Entry(Garden, 1), Entry(Garden, 2) with { From = other }, Entry(Garden, 3)]);
        Assert.Equal([2], await Ids(new ArchiveQuery { Max = 9, With = Romeo, From = other }));
        Assert.Empty(await Ids(new ArchiveQuery { Max = 9, With = Juliet, From = other }));
        Assert.Equal([3], await Ids(new ArchiveQuery { Max = 1, With = Romeo, Backwards = true }));
    }

    [ContractFact]
    public async Task The_largest_id_of_all_archives_is_known()
    {
        Assert.Equal(0, await Db.Archive.LastId());
        await TenEntries();
        Assert.Equal(1000, await Db.Archive.LastId());
    }

    [ContractFact]
    public async Task Archives_with_old_entries_are_found_page_by_page()
    {
        await TenEntries();
        await Db.Archive.Append([Entry(Juliet, 2000)]);
        Assert.Empty(await Db.Archive.WithOlder(Noon.AddSeconds(10), Jid.None, 9));
        Assert.Equal([Garden], await Db.Archive.WithOlder(Noon.AddSeconds(11), Jid.None, 9));
        var all = await Db.Archive.WithOlder(Noon.AddDays(1), Jid.None, 9);
        Assert.Equal([Garden, Juliet, Romeo], all);
        Assert.Equal([Garden, Juliet], await Db.Archive.WithOlder(Noon.AddDays(1), Jid.None, 2));
        Assert.Equal([Romeo], await Db.Archive.WithOlder(Noon.AddDays(1), Juliet, 2));
    }
}
