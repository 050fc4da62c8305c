using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Archives;
using Muster.Server.Rooms;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Server.Telemetry;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>The asynchronous side of a room: mailbox, loading, commit before show. What a room decides is tested
/// elsewhere.</summary>
public sealed class RoomHostTests : IAsyncLifetime, IAsyncDisposable
{
    static readonly Jid Garden = Jid.Parse("garden@conference.x");
    readonly MemoryDatabase _database = new();
    readonly Meters _meters = new();
    readonly Users _users = new();
    readonly RoomService _service;

    public RoomHostTests()
    {
        var router = new Router();
        var sessions = new SessionTable();
        var archives = new ArchiveReaders(_database, sessions, () => new ArchiveLimits(50, 250), ArchiveIds.Plain,
            router.Route, TimeProvider.System, _meters.Archives, NullLogger.Instance);
        var parts = new RoomParts(router, sessions, _database, archives, TimeProvider.System, _meters,
            NullLoggerFactory.Instance, new RoomEvents());
        var settings = new RoomSettings { Service = Jid.Parse("conference.x"), Host = Jid.Parse("x"), MailboxMax = 16 };
        _service = new RoomService(settings, parts, _ => default);
        router.Connect([KeyValuePair.Create<string, IStanzaTarget>("x", _users),
            KeyValuePair.Create<string, IStanzaTarget>("conference.x", _service)], _users);
    }

    [Fact]
    public async Task TwoWhoEnterAtOnceMeetInOneRoom()
    {
        await Task.WhenAll(
            Task.Run(async () => await Enter("anna@x/a", "Anna")),
            Task.Run(async () => await Enter("berta@x/b", "Berta")));
        await Settle();
        // One made the room (201) and the other found it locked: never two rooms, never two creators.
        var all = _users.To("anna@x/a").Concat(_users.To("berta@x/b")).ToList();
        Assert.Single(all, s => HasStatus(s, 201));
        Assert.Single(all, s => s is Presence { Type: PresenceType.Error });
    }

    [Fact]
    public async Task AMessageIsInTheArchiveBeforeAnybodyGetsIt()
    {
        await Create("anna@x/a", "Anna", persistent: true);
        bool archived = false;
        _users.OnArrival = stanza =>
        {
            if (stanza is Message { Body: "hello" })
                archived = _database.Archive.Page(Garden, new() { Max = 10 }).AsTask().Result.Entries.Count == 1;
        };
        await Say("anna@x/a", "hello");
        await Settle();
        Assert.True(archived);
    }

    [Fact]
    public async Task WhatCannotBeStoredIsNotShownAndTheRoomStartsAfresh()
    {
        await Create("anna@x/a", "Anna", persistent: true);
        await Enter("berta@x/b", "Berta");
        await Settle();
        _users.Clear();

        _database.BeforeWrite = _ => throw new StorageException(StorageFault.Full, "no space left");
        await Say("anna@x/a", "lost");
        await Settle();
        _database.BeforeWrite = null;

        Assert.DoesNotContain(_users.To("berta@x/b"), s => s is Message);
        Assert.Contains(_users.To("anna@x/a"), s =>
            s is Message { Type: MessageType.Error } m && m.Error!.Condition == "service-unavailable");
        foreach (string user in (string[])["anna@x/a", "berta@x/b"])
            Assert.Contains(_users.To(user), s =>
                s is Presence { Type: PresenceType.Unavailable } && HasStatus(s, 333) && HasStatus(s, 110));

        // The room is there with its owner; entering again works and nothing of the lost message is left.
        _users.Clear();
        await Enter("anna@x/a", "Anna");
        await Settle();
        Assert.Contains(_users.To("anna@x/a"), s =>
            HasStatus(s, 110) && s.ToString().Contains("affiliation='owner'", StringComparison.Ordinal));
        Assert.DoesNotContain(_users.To("anna@x/a"), s => s is Message { Body: "lost" });
    }

    [Fact]
    public async Task AnUnreadableRoomIsRefusedAndNeverReplacedByAnEmptyOne()
    {
        await Create("anna@x/a", "Anna", persistent: true);
        await Leave("anna@x/a", "Anna");
        await Unload();
        _users.Clear();

        _database.BeforeRead = _ => throw new StorageException(StorageFault.Unavailable, "gone");
        await Enter("berta@x/b", "Berta");
        await Settle();
        var refusal = Assert.Single(_users.To("berta@x/b"));
        Assert.Equal("service-unavailable", refusal.Error!.Condition);

        _database.BeforeRead = null;
        await Enter("berta@x/b", "Berta");
        await Settle();
        Assert.DoesNotContain(_users.To("berta@x/b"), s => HasStatus(s, 201));
        Assert.Contains(_users.To("berta@x/b"), s => HasStatus(s, 110));
    }

    [Fact]
    public async Task AStrayRequestMakesNoRoom()
    {
        await _service.Route(
            new Iq(IqType.Get, Jid.Parse("anna@x/a"), Garden, "d", new Element(Namespaces.DiscoInfo, "query")));
        await Settle();
        Assert.Equal("item-not-found", Assert.Single(_users.To("anna@x/a")).Error!.Condition);
        Assert.Empty(_service.Live);
        Assert.Null(await _database.Rooms.Load(Garden));
    }

    [Fact]
    public async Task ATemporaryRoomIsGoneWithItsLastUserAndItsMessagesAreNotForTheNext()
    {
        await Create("anna@x/a", "Anna", persistent: false);
        await Say("anna@x/a", "secret");
        await Leave("anna@x/a", "Anna");
        await Settle();
        Assert.Empty(_service.Live);
        _users.Clear();
        await Enter("berta@x/b", "Berta");
        await Settle();
        Assert.Contains(_users.To("berta@x/b"), s => HasStatus(s, 201));
        Assert.DoesNotContain(_users.To("berta@x/b"), s => s is Message { Body: "secret" });
    }

    [Fact]
    public async Task TheNextArchiveIdIsLargerThanAnyBeforeEvenAfterUnloading()
    {
        await Create("anna@x/a", "Anna", persistent: true);
        for (int i = 0; i < 40; i++) await Say("anna@x/a", $"line {i}");
        await Leave("anna@x/a", "Anna");
        await Unload();
        await Enter("anna@x/a", "Anna");
        await Say("anna@x/a", "after");
        await Settle();
        var page = await _database.Archive.Page(Garden, new() { Max = 100 });
        Assert.Equal(41, page.Entries.Count);
        Assert.Equal(page.Entries.OrderBy(e => e.Id), page.Entries);
        Assert.Contains("after", RoomRecords.ToMessage(page.Entries[^1])!.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ThousandsOfStanzasAtOnceArriveInTheSendersOrder()
    {
        await Create("anna@x/a", "Anna", persistent: false);
        await Enter("berta@x/b", "Berta");
        await Task.WhenAll(Flood("anna@x/a"), Flood("berta@x/b"));
        await Settle();
        var heard = _users.To("anna@x/a").OfType<Message>()
            .Where(m => m.Body is not null && m.Child("subject") is null).ToList();
        foreach (string nick in (string[])["Anna", "Berta"])
            Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"),
                heard.Where(m => m.From.Resource.SequenceEqual(nick)).Select(m => m.Body));
        Assert.Equal(heard.Select(m => m.Body),
            _users.To("berta@x/b").OfType<Message>().Where(m => m.Body is not null).Select(m => m.Body));

        async Task Flood(string user)
        {
            await Task.Yield();
            for (int i = 0; i < 500; i++) await Say(user, $"{i}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ADestroyedRoomPointsToItsSuccessor(bool persistent)
    {
        await Create("anna@x/a", "Anna", persistent);
        await Say("anna@x/a", "hello");
        var destroy = new Element(Namespaces.MucOwner, "destroy").With("jid", "new@conference.x");
        await _service.Route(
            new Iq(IqType.Set, Jid.Parse("anna@x/a"), Garden, "x", new Element(Namespaces.MucOwner, "query", destroy)));
        await Settle();
        Assert.Contains(_users.To("anna@x/a"), answer => answer is Iq { Type: IqType.Result, Id: "x" });
        Assert.Null(await _database.Archive.Range(Garden));
        _users.Clear();
        await Enter("berta@x/b", "Berta");
        await Settle();
        var refusal = Assert.Single(_users.To("berta@x/b"));
        Assert.Equal("gone", refusal.Error!.Condition);
        Assert.Equal("xmpp:new@conference.x?join", refusal.Error!.ConditionText);
    }

    ValueTask Enter(string user, string nick) => _service.Route(new Presence(PresenceType.Available, Jid.Parse(user),
        Jid.Parse($"{Garden}/{nick}"), "e", new Element(Namespaces.Muc, "x")));

    ValueTask Leave(string user, string nick) =>
        _service.Route(new Presence(PresenceType.Unavailable, Jid.Parse(user), Jid.Parse($"{Garden}/{nick}"), null));

    ValueTask Say(string user, string text) =>
        _service.Route(new Message(MessageType.Groupchat, Jid.Parse(user), Garden,
            "m", new Element(Namespaces.Client, "body", text)));

    async Task Create(string user, string nick, bool persistent)
    {
        await Enter(user, nick);
        var form = new Element(Namespaces.DataForms, "x",
            Field("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig"),
            Field("muc#roomconfig_persistentroom", persistent ? "1" : "0")).With("type", "submit");
        await _service.Route(
            new Iq(IqType.Set, Jid.Parse(user), Garden, "c", new Element(Namespaces.MucOwner, "query", form)));
        await Settle();

        static Element Field(string name, string value) =>
            new Element(Namespaces.DataForms, "field", new Element(Namespaces.DataForms, "value", value))
                .With("var", name);
    }

    // A look waits in the mailbox behind all that was posted before.
    async Task Settle() => await _service.Look(Garden, static _ => true);

    async Task Unload()
    {
        await _service.Hibernate(Garden);
        await Patience.Eventually(() => !_service.Live.Any());
    }

    static bool HasStatus(Stanza stanza, int code) =>
        stanza.Child(Namespaces.MucUser, "x")?.Children(Namespaces.MucUser, "status")
            .Any(s => s.Attribute("code") == $"{code}") == true;

    public Task InitializeAsync() => Task.CompletedTask;

    // The runner asks for this interface alone.
    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        _meters.Dispose();
        await _database.DisposeAsync();
    }

    /// <summary>All users of a domain: remembers what each gets.</summary>
    sealed class Users : IStanzaTarget
    {
        readonly ConcurrentDictionary<string, ConcurrentQueue<Stanza>> _received = new();

        public Action<Stanza> OnArrival { get; set; } = static _ => { };

        public IEnumerable<Stanza> To(string user) => _received.GetValueOrDefault(user) ?? [];

        public void Clear() => _received.Clear();

        public ValueTask Route(Stanza stanza)
        {
            OnArrival(stanza);
            _received.GetOrAdd(stanza.To.ToString(), _ => new()).Enqueue(stanza);
            return default;
        }
    }
}
