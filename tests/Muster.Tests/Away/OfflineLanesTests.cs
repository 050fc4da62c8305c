using System.Collections.Immutable;
using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Away;

/// <summary>The order and the pace of what rooms send to members who are away (muc-offline-delivery.md §5,
/// §8).</summary>
public sealed class OfflineLanesTests
{
    static readonly Jid Garden = Jid.Parse("garden@muc.x"), Hall = Jid.Parse("hall@muc.x");
    DateTimeOffset _now = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
    OfflineLanes _lanes = Make(new());

    static OfflineLanes Make(OfflineLaneLimits limits) => new(limits, jid => jid.ToString() == "x");

    static SharedStanza Said(string text, Jid room = default) => SharedStanza.From(new Message(MessageType.Groupchat,
        Jid.Parse($"{(room.IsNone ? Garden : room)}/Romeo"), default, text,
        new Element(Namespaces.Client, "body", text)));

    static ImmutableArray<Jid> Users(params string[] users) => [.. users.Select(Jid.Parse)];

    int Add(string text, params string[] users) => _lanes.Add(Garden, Said(text), Users(users), _now);

    string[] TakeAll()
    {
        var taken = new List<string>();
        while (_lanes.TryTake(_now, out var copy))
        {
            bool isLate = copy.Stanza.Stanza.Child(Namespaces.Delay, "delay") is not null;
            taken.Add($"{copy.To} {((Message)copy.Stanza.Stanza).Body}{(isLate ? " late" : "")}");
        }
        return [.. taken];
    }

    [Fact]
    public void EachGetsAllInOrderAndDomainsTakeTurns()
    {
        Add("1", "a@x", "b@y", "c@z");
        Add("2", "a@x", "b@y", "c@z");
        Assert.Equal(["a@x 1", "b@y 1", "c@z 1", "a@x 2", "b@y 2", "c@z 2"], TakeAll());
        Assert.Null(_lanes.NextAt);
    }

    [Fact]
    public void AnotherServerGetsThemAtABoundedRateAndUsersOfThisOneAtOnce()
    {
        _lanes = Make(new() { RateMax = 10 });
        Add("1", [.. Enumerable.Range(0, 25).SelectMany(i => (string[])[$"u{i}@y", $"l{i}@x"])]);
        var taken = TakeAll();
        Assert.Equal(25, taken.Count(one => one.Contains("@x", StringComparison.Ordinal)));
        int remote = taken.Length - 25;
        Assert.InRange(remote, 10, 11); // one second's worth
        Assert.True(_lanes.NextAt > _now);
        for (int i = 0; i < 20 && remote < 25; i++)
        {
            _now = _lanes.NextAt!.Value;
            remote += TakeAll().Length;
        }
        Assert.Equal(25, remote);
        Assert.InRange((_now - new DateTimeOffset(2024, 5, 1, 12, 0, 0, TimeSpan.Zero)).TotalSeconds, 1.3, 1.6);
    }

    [Fact]
    public void WhatWaitsCanBeTakenUpBySomebodyElse()
    {
        _lanes = Make(new() { RateMax = 1 });
        Add("1", "a@y", "b@y", "c@y", "d@z");
        Add("2", "a@y", "e@w");
        _lanes.Pause("w", _now);
        string[] sent = TakeAll();
        Assert.Equal(["a@y 1", "b@y 1"], sent.Where(one => one.Contains("@y", StringComparison.Ordinal)));
        var waiting = _lanes.Waiting();
        Assert.Equal(["1: c@y", "2: a@y e@w"], waiting.Select(one =>
            $"{((Message)one.Stanza.Stanza).Body}: {string.Join(' ', one.Users)}"));
        Assert.All(waiting, one => Assert.Equal(Garden, one.Room));

        _now += TimeSpan.FromHours(1);
        _lanes = Make(new() { RateMax = 1 });
        foreach (var one in waiting) _lanes.Add(one.Room, one.Stanza, one.Users, _now, isLate: true);
        Assert.Equal(["c@y 1 late", "e@w 2 late", "a@y 2 late"], TakeAll());
    }

    [Fact]
    public void WhatIsKeptForADomainThatCannotBeReachedIsWaitingToo()
    {
        Add("lost", "a@y");
        TakeAll();
        _lanes.Pause("y", _now);
        Add("1", "a@y", "b@y");
        Add("2", "a@y", "b@y");
        var one = Assert.Single(_lanes.Waiting());
        Assert.Equal(("2", 2), (((Message)one.Stanza.Stanza).Body, one.Users.Length));
        Assert.NotNull(one.Stanza.Stanza.Child(Namespaces.Delay, "delay"));
    }

    [Fact]
    public void AnotherRateCountsAtOnce()
    {
        _lanes = Make(new() { RateMax = 1 });
        Add("1", [.. Enumerable.Range(0, 50).Select(i => $"u{i}@y")]);
        Assert.InRange(TakeAll().Length, 1, 2);
        _lanes.Limits = new() { RateMax = 100 };
        _now = _lanes.NextAt!.Value;
        Assert.True(TakeAll().Length > 40);
    }

    [Fact]
    public void ADomainThatCannotBeReachedIsLeftAloneAndGetsTheNewestMessageOfEachRoomThen()
    {
        Add("lost", "a@y", "b@y");
        TakeAll();
        Assert.Equal(TimeSpan.FromMinutes(5), _lanes.Pause("y", _now));
        Assert.Null(_lanes.Pause("y", _now)); // the second bounce tells nothing new
        for (int i = 0; i < 100; i++) Add($"{i}", "a@y", "b@y", "c@x");
        _lanes.Add(Hall, Said("hall", Hall), Users("a@y"), _now);
        Assert.Equal(100, TakeAll().Length); // those of c@x
        Assert.Equal(_now + TimeSpan.FromMinutes(5), _lanes.NextAt);
        _now += TimeSpan.FromMinutes(5);
        Assert.Equal(["a@y 99 late", "b@y 99 late", "a@y hall late"], TakeAll());
        Add("live", "a@y");
        Assert.Equal(["a@y live"], TakeAll());
    }

    [Fact]
    public void WhatWasSentLastIsSentAgainWhenNothingCameSince()
    {
        Add("one", "a@y");
        TakeAll();
        _lanes.Pause("y", _now);
        _now += TimeSpan.FromMinutes(5);
        Assert.Equal(["a@y one late"], TakeAll());
        // It comes back again: the pause is longer, and the message is no later than late.
        Assert.Equal(TimeSpan.FromMinutes(10), _lanes.Pause("y", _now));
        _now += TimeSpan.FromMinutes(10);
        Assert.Equal(["a@y one late"], TakeAll());
    }

    [Fact]
    public void ThePauseDoublesUpToABoundAndADomainThatWasWellBeginsAnew()
    {
        Add("1", "a@y");
        TakeAll();
        var pauses = new List<TimeSpan>();
        for (int i = 0; i < 9; i++)
        {
            pauses.Add(_lanes.Pause("y", _now)!.Value);
            _now += pauses[^1];
            TakeAll();
            _now += TimeSpan.FromSeconds(50);
        }
        Assert.Equal([5, 10, 20, 40, 80, 160, 320, 360, 360], pauses.Select(pause => (int)pause.TotalMinutes));
        _now += TimeSpan.FromMinutes(10);
        Assert.Equal(TimeSpan.FromMinutes(5), _lanes.Pause("y", _now));
        Assert.Null(_lanes.Pause("unknown", _now));
        Assert.Null(_lanes.Pause("x", _now));
    }

    [Fact]
    public void APauseInTheMiddleOfAMessageHoldsTheRest()
    {
        _lanes = Make(new() { RateMax = 2 });
        Add("1", "a@y", "b@y", "c@y", "d@y");
        Add("2", "a@y", "b@y", "c@y", "d@y");
        Assert.NotEmpty(TakeAll());
        _lanes.Pause("y", _now);
        _now += TimeSpan.FromMinutes(5);
        var taken = new List<string>(TakeAll());
        while (_lanes.NextAt is { } at)
        {
            _now = at;
            taken.AddRange(TakeAll());
        }
        Assert.Equal(["a@y 2 late", "b@y 2 late", "c@y 2 late", "d@y 2 late"], taken);
    }

    [Fact]
    public void WhatWaitsIsBoundedAndAllBytesAreGivenBack()
    {
        _lanes = Make(new() { BytesMax = 10_000, DomainsMax = 3 });
        string text = new('x', 900);
        int dropped = 0;
        for (int i = 0; i < 20; i++) dropped += Add(text, "a@x", "b@x");
        Assert.InRange(dropped, 20, 30);
        Assert.InRange(_lanes.Bytes, 8000, 10_000);
        TakeAll();
        Assert.Equal(0, _lanes.Bytes);
        // Domains: those of which nothing waits make room.
        Assert.Equal(0, Add("1", "a@y", "a@z", "a@v"));
        Assert.Equal(1, Add("2", "a@w"));
        TakeAll();
        Assert.Equal(0, Add("3", "a@w"));
        // Rooms of which the newest message is held.
        _lanes = Make(new() { HeldMax = 2 });
        Add("1", "a@y");
        TakeAll();
        _lanes.Pause("y", _now);
        for (int i = 0; i < 5; i++)
            _lanes.Add(Jid.Parse($"r{i}@muc.x"), Said("1", Jid.Parse($"r{i}@muc.x")), Users("a@y"), _now);
        _now += TimeSpan.FromHours(1);
        Assert.Equal(2, TakeAll().Length);
    }
}
