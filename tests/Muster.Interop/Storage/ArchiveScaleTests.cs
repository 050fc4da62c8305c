using System.Diagnostics;
using System.Globalization;
using System.Text;
using Muster.Interop.Servers;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Server.Storage.Postgres;
using Muster.Server.Storage.Sql;
using Muster.Testing;
using Xunit.Abstractions;

namespace Muster.Interop.Storage;

/// <summary>
/// A long archive answers a page as fast as a short one, whatever is asked: every question finds its place in an index.
/// The figures of docs/performance.md come from here, with MUSTER_ARCHIVE_MESSAGES=10000000.
/// </summary>
public sealed class ArchiveScaleTests(ITestOutputHelper output)
{
    const int BatchMax = 1000;
    // One in so many is from somebody who says little.
    const int RareEvery = 100_000;

    static readonly Jid Garden = Jid.Parse("garden@conference.example.org");
    static readonly Jid Rare = Jid.Parse("apothecary@example.org");
    static readonly DateTimeOffset Begin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    static int Messages { get; } = int.Parse(
        Environment.GetEnvironmentVariable("MUSTER_ARCHIVE_MESSAGES") ?? "200000", CultureInfo.InvariantCulture);

    [Fact]
    public async Task SqliteAnswersAPageInMilliseconds()
    {
        var folder = Directory.CreateTempSubdirectory("muster-scale-");
        try
        {
            await using var db = await Database.Open(new() { Path = Path.Combine(folder.FullName, "muster.db") });
            await MeasureAsync((SqlDatabase)db, "EXPLAIN QUERY PLAN ", column: 3);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [RealPeerFact("postgresql")]
    public async Task PostgresAnswersAPageInMilliseconds()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var db = await Database.Open(
            new() { Backend = StorageBackend.Postgres, Connection = server.Connection });
        await MeasureAsync((SqlDatabase)db, "EXPLAIN ", column: 0);
    }

    async Task MeasureAsync(SqlDatabase db, string explain, int column)
    {
        var watch = Stopwatch.StartNew();
        await FillAsync(db);
        watch.Stop();
        // PostgreSQL plans by what it has counted; its autovacuum counts within a minute, which is not waited for here.
        if (db is PostgresDatabase) await db.Write(session => session.Execute("ANALYZE"), CancellationToken.None);
        long size = (await db.Check()).SizeBytes;
        Tell($"{Messages:N0} messages in one archive, {watch.Elapsed.TotalSeconds:F0} s to write them, " +
            $"{size >> 20} MB; {db.Description}");
        long middle = IdOf(Messages / 2);
        (string Question, ArchiveQuery Query)[] questions =
        [
            ("the last page", new() { Max = 50, Backwards = true }),
            ("the page before a message in the middle", new() { Max = 50, Backwards = true, Cursor = middle }),
            ("the page after a message in the middle", new() { Max = 50, Cursor = middle }),
            ("a day in the middle", new()
            {
                Max = 50, Start = StoredTime.To(middle), End = StoredTime.To(middle) + TimeSpan.FromDays(1),
            }),
            ("all years, from a time to a time", new()
            {
                Max = 50, Start = Begin, End = Begin + TimeSpan.FromDays(3650),
            }),
            ("the last page before a time", new() { Max = 50, Backwards = true, End = StoredTime.To(middle) }),
            ("one who said much, the last page", new()
            {
                Max = 50, With = Jid.Parse("user7@example.org"), Backwards = true,
            }),
            ("one who said little", new() { Max = 50, With = Rare }),
            ("one who said little, the last page", new() { Max = 50, With = Rare, Backwards = true }),
            ("one who said little, after a time", new() { Max = 50, With = Rare, Start = StoredTime.To(middle) }),
            ("one who never spoke", new() { Max = 50, With = Jid.Parse("nobody@example.org") }),
            ("how many (up to 100,000)", new() { Max = 0, Count = true }),
        ];
        foreach (var (question, query) in questions)
        {
            var (sql, args) = SqlArchive.PageSql(Garden, query);
            var plan = await db.Read(session => session.Query(
                explain + sql, row => row.GetString(column).Trim(), [.. args]), CancellationToken.None);
            Tell(await TimeAsync(question, () => db.Archive.Page(Garden, query), query.Count ? 500 : 50));
            foreach (string line in plan) Tell($"    {line}");
            Assert.DoesNotContain(plan, line =>
                line.Contains("Seq Scan on archive_entries", StringComparison.Ordinal)
                || line.StartsWith("SCAN e", StringComparison.Ordinal));
        }
        Tell(await TimeAsync("one message by its id", () => db.Archive.Find(Garden, [middle]), 50));
        Tell(await TimeAsync("the first and the last", () => db.Archive.Range(Garden), 50));
        Tell(await TimeAsync("the largest id, at the start", () => db.Archive.LastId(), 500));
        Tell(await TimeAsync("whether anything is too old",
            () => db.Archive.WithOlder(Begin, Jid.None, 100), 500));
    }

    /// <summary>Asks many times; the middle of what it took must be within the bound.</summary>
    static async Task<string> TimeAsync<T>(string question, Func<ValueTask<T>> ask, double millisecondsMax)
    {
        var taken = new List<double>();
        for (int i = 0; i < 21; i++)
        {
            long begun = Stopwatch.GetTimestamp();
            await ask();
            taken.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        double first = taken[0];
        taken.Sort();
        Assert.True(taken[10] < millisecondsMax, $"{question}: {taken[10]:F1} ms");
        return string.Create(CultureInfo.InvariantCulture,
            $"{question}: {taken[10]:F2} ms, the first time {first:F1} ms");
    }

    static long IdOf(int number) => StoredTime.From(Begin) + number * 10_000_000L; // ten seconds apart

    static async Task FillAsync(SqlDatabase db)
    {
        Jid[] people = [.. Enumerable.Range(0, 50).Select(i => Jid.Parse($"user{i}@example.org/phone"))];
        var rare = Jid.Parse($"{Rare}/shop");
        for (int written = 0; written < Messages; written += BatchMax)
        {
            var batch = new List<ArchiveEntry>(BatchMax);
            for (int i = written; i < Math.Min(Messages, written + BatchMax); i++)
            {
                var from = i % RareEvery == RareEvery / 2 ? rare : people[i % people.Length];
                string stanza = "<message xmlns='jabber:client' type='groupchat' " +
                    $"from='{Garden}/{from.Local}' id='{i:x}'>" +
                    $"<body>Number {i}: it is the lark, the herald of the morn, no nightingale</body>" +
                    $"<stanza-id xmlns='urn:xmpp:sid:0' by='{Garden}' id='{IdOf(i)}'/></message>";
                batch.Add(new(Garden, IdOf(i), StoredTime.To(IdOf(i)), from, from.Bare, ArchiveKind.Message,
                    Encoding.UTF8.GetBytes(stanza)));
            }
            await db.Archive.Append(batch);
        }
    }

    void Tell(string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("MUSTER_ARCHIVE_MESSAGES") is not null) Console.WriteLine(line);
    }
}
