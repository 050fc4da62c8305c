using Muster.Core.Joins;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Joins;

/// <summary>When rooms of other servers are asked, and what their answers do.</summary>
public sealed class RoomChecksTests
{
    static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    static readonly Jid Rooms = Jid.Parse("rooms.test");

    readonly RoomChecks _checks = new(new byte[32]);
    readonly List<JoinedRooms> _sessions = [];
    readonly List<CheckEffect> _effects = [];
    DateTimeOffset _now = Start;

    JoinedRooms Session(string jid, params string[] occupants)
    {
        var rooms = new JoinedRooms(Jid.Parse(jid));
        foreach (string occupant in occupants) Join(rooms, occupant);
        _sessions.Add(rooms);
        return rooms;
    }

    void Join(JoinedRooms rooms, string occupant)
    {
        var address = Jid.Parse(occupant);
        rooms.Sent(new Presence(PresenceType.Available, rooms.Session, address, null), 1000, _now);
        rooms.Received(new Presence(PresenceType.Available, address, rooms.Session, null,
            new MucUser(new MucItem(Affiliation.None, Role.Participant), 110).ToElement()), false, _now, out _);
    }

    /// <summary>Lets time pass, second by second; what came of it.</summary>
    CheckEffect[] Pass(TimeSpan time)
    {
        _effects.Clear();
        for (var end = _now + time; _now < end;)
        {
            _now += TimeSpan.FromSeconds(1);
            _checks.Sweep(_sessions, _now, _effects);
        }
        return [.. _effects];
    }

    CheckEffect.Ping[] Pings(TimeSpan time) => [.. Pass(time).OfType<CheckEffect.Ping>()];

    CheckEffect.Ping OnePing(TimeSpan time) => Assert.Single(Pings(time));

    CheckEffect[] Answer(CheckEffect.Ping ping, StanzaError? error = null, string? from = null, string? to = null)
    {
        _effects.Clear();
        var (source, target) = (Jid.Parse(from ?? ping.Occupant.ToString()), Jid.Parse(to ?? ping.Session.ToString()));
        Assert.True(_checks.Answer(error is null
            ? new Iq(IqType.Result, source, target, ping.Id, null)
            : new Iq(IqType.Error, source, target, ping.Id, error.ToElement()), _now, _effects));
        return [.. _effects];
    }

    static TimeSpan Seconds(double count) => TimeSpan.FromSeconds(count);
    static TimeSpan Minutes(double count) => TimeSpan.FromMinutes(count);

    [Fact]
    public void ARoomIsAskedAfterTheDelayAndSilenceFollowsAResult()
    {
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo", "hall@other.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        Assert.Empty(Pings(Seconds(59)));
        var ping = OnePing(Seconds(1));
        Assert.Equal(("romeo@verona.test/orchard", "garden@rooms.test/Romeo"),
            (ping.Session.ToString(), ping.Occupant.ToString()));
        Assert.Equal([new CheckEffect.Settled(ping.Occupant, CheckOutcome.Ok)], Answer(ping));
        Assert.True(_checks.IsIdle);
        Assert.Empty(Pings(Minutes(10)));
    }

    [Fact]
    public void StreamsThatEndOneAfterTheOtherAreOneQuestion()
    {
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        for (int i = 0; i < 5; i++)
        {
            _checks.StreamEnded(Rooms, _now);
            Pass(Seconds(10));
        }
        OnePing(Seconds(20));
    }

    // The table of the specification, row by row.
    public static TheoryData<string, string, string> Answers => new()
    {
        { "", "", "Ok" },
        { "service-unavailable", "", "Ok" },
        { "feature-not-implemented", "rooms.test", "Ok" },
        { "feature-not-implemented", "verona.test", "Undecided" },
        { "remote-server-not-found", "", "Undecided" },
        { "remote-server-timeout", "verona.test", "Undecided" },
        { "resource-constraint", "", "Undecided" },
        { "not-acceptable", "garden@rooms.test", "Dropped" },
        { "not-allowed", "", "Dropped" },
        { "bad-request", "", "Dropped" },
        { "forbidden", "", "Dropped" },
        { "gone", "", "Dropped" },
        { "registration-required", "", "Dropped" },
        { "undefined-condition", "", "Dropped" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    [Spec("XEP-0410", "3.2")]
    public void AnswersMean(string condition, string by, string outcome)
    {
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var ping = OnePing(Seconds(60));
        var error = condition.Length == 0 ? null : new StanzaError(
            condition == "resource-constraint" ? StanzaErrorType.Wait : StanzaErrorType.Cancel, condition, "so it is",
            By: by.Length == 0 ? default : Jid.Parse(by));
        var effects = Answer(ping, error);
        Assert.Equal(outcome, effects.OfType<CheckEffect.Settled>().Single().Outcome.ToString());
        var drops = effects.OfType<CheckEffect.Drop>();
        if (outcome == "Dropped")
        {
            Assert.Equal(new CheckEffect.Drop(ping.Session, ping.Occupant, "so it is", false), drops.Single());
            Assert.Equal(0, _sessions[0].Count);
        }
        else
        {
            Assert.Empty(drops);
        }
    }

    [Fact]
    public void ARoomThatIsNotFoundIsAskedOnceMore()
    {
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        Assert.Empty(Answer(OnePing(Seconds(60)), StanzaError.ItemNotFound));
        Assert.Empty(Pings(Seconds(4)));
        var again = OnePing(Seconds(1));
        Assert.Contains(Answer(again, StanzaError.ItemNotFound), effect => effect is CheckEffect.Drop);
    }

    [Fact]
    public void TheNewNickIsAskedFor()
    {
        var romeo = Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var ping = OnePing(Seconds(60));
        _now += Seconds(1);
        Join(romeo, "garden@rooms.test/Montague");
        // An answer about the old nick says nothing: the room has just shown that the session is inside.
        Assert.Equal(CheckOutcome.Ok,
            Answer(ping, StanzaError.NotAcceptable).OfType<CheckEffect.Settled>().Single().Outcome);
        _checks.StreamEnded(Rooms, _now);
        Assert.Equal("garden@rooms.test/Montague", OnePing(Seconds(60)).Occupant.ToString());
    }

    [Fact]
    [Spec("XEP-0410", "4")]
    public void WhileANickIsBeingChangedNobodyIsAsked()
    {
        var romeo = Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        Pass(Seconds(59));
        var renaming = new Presence(PresenceType.Available, romeo.Session, Jid.Parse("garden@rooms.test/New"), null);
        romeo.Sent(renaming, 9, _now);
        Assert.Empty(Pings(Seconds(20)));
        romeo.Expire(_now + Minutes(3));
        Assert.Equal("garden@rooms.test/Romeo", OnePing(Seconds(6)).Occupant.ToString());
    }

    [Fact]
    public void AServerThatIsAwayIsAskedEverLessOftenAndThenGivenUp()
    {
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var first = Assert.Single(Pings(Seconds(60)));
        var times = new List<int> { 0 };
        var start = _now;
        while (times.Count < 20)
        {
            var effects = Pass(Seconds(1));
            foreach (var _ in effects.OfType<CheckEffect.Ping>()) times.Add((int)(_now - start).TotalSeconds);
            if (effects.OfType<CheckEffect.Drop>().SingleOrDefault() is not { } drop) continue;
            Assert.Null(drop.Reason);
            break;
        }
        // Unanswered after a minute, then 1, 2, 5, 10 minutes later, and a last time at the end of the 30.
        Assert.Equal([0, 120, 300, 660, 1320, 1800], times);
        Assert.Equal(1860, (int)(_now - start).TotalSeconds);
        Assert.NotEqual(default, first);
    }

    [Fact]
    public void TheReferenceTakesEverythingForALoss()
    {
        _checks.Rules = new CheckRules { IsStrict = true };
        Session("romeo@verona.test/a", "garden@rooms.test/Romeo");
        Session("romeo@verona.test/b", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var pings = Pings(Seconds(61));
        Assert.Contains(Answer(pings[0], StanzaError.ServiceUnavailable.WithText("x")), e => e is CheckEffect.Settled
            { Outcome: CheckOutcome.Ok });
        Assert.Single(Pass(Seconds(60)).OfType<CheckEffect.Drop>());
    }

    [Fact]
    public void AProofOfTheStayAfterTheEndOfTheStreamSavesThePing()
    {
        var romeo = Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        Pass(Seconds(30));
        romeo.Heard(Jid.Parse("garden@rooms.test/Romeo"), _now);
        Assert.Empty(Pings(Minutes(2)));
    }

    [Fact]
    public void WhoHasLeftMeanwhileIsNotAskedFor()
    {
        var romeo = Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo", "hall@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        Pass(Seconds(30));
        romeo.Drop(Jid.Parse("hall@rooms.test/Romeo"));
        var ping = OnePing(Seconds(30));
        romeo.Clear();
        Assert.Empty(Answer(ping, StanzaError.NotAcceptable));
        Assert.True(_checks.IsIdle);
    }

    [Fact]
    public void OnlyOneOfTwoRoomsIsLost()
    {
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo", "hall@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var pings = Pings(Seconds(61));
        Assert.Equal(2, pings.Length);
        Answer(pings[0]);
        var drop = Answer(pings[1], StanzaError.NotAcceptable).OfType<CheckEffect.Drop>().Single();
        Assert.Equal(pings[1].Occupant, drop.Occupant);
        Assert.Equal(pings[0].Occupant, Assert.Single(_sessions[0].All()).Occupant);
    }

    [Theory]
    [InlineData("garden@rooms.test/Juliet", null)]
    [InlineData("garden@evil.test/Romeo", null)]
    [InlineData(null, "romeo@verona.test/balcony")]
    public void AnswersOfOthersAreTakenAndIgnored(string? from, string? to)
    {
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var ping = OnePing(Seconds(60));
        Assert.Empty(Answer(ping, StanzaError.NotAcceptable, from, to));
        Assert.Equal(1, _sessions[0].Count);
        Answer(ping);
        Assert.Empty(Answer(ping)); // a second answer, or a late one
    }

    [Fact]
    public void IdsCannotBeGuessed()
    {
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var ping = OnePing(Seconds(60));
        foreach (string id in new[] { "x", "muc-ping-1", "muc-ping-1-", "muc-ping-x-0",
            "muc-ping-1-000000000000000000000000", ping.Id + "0",
            ping.Id.Replace("ping-1-", "ping-2-", StringComparison.Ordinal) })
        {
            Assert.False(_checks.Answer(new Iq(IqType.Result, ping.Occupant, ping.Session, id, null), _now, _effects));
        }
        var other = new RoomChecks(Enumerable.Repeat((byte)1, 32).ToArray());
        Assert.False(other.Answer(new Iq(IqType.Result, ping.Occupant, ping.Session, ping.Id, null), _now, _effects));
    }

    [Fact]
    public void ManyRoomsAreAskedOneAfterTheOther()
    {
        for (int i = 0; i < 1000; i++) Session($"u{i}@verona.test/a", $"r{i}@rooms.test/U");
        _checks.StreamEnded(Rooms, _now);
        Pass(Seconds(59));
        int all = 0;
        for (int second = 0; second < 30; second++)
        {
            int some = Pings(Seconds(1)).Length;
            Assert.InRange(some, 0, 50);
            all += some;
        }
        Assert.Equal(1000, all);
    }

    [Fact]
    public void AHibernatingSessionIsAskedForEveryFiveMinutes()
    {
        var romeo = Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        romeo.IsHibernating = true;
        _checks.StreamEnded(Rooms, _now);
        Answer(OnePing(Seconds(60)));
        _checks.StreamEnded(Rooms, _now);
        Assert.Empty(Pings(Seconds(299)));
        OnePing(Seconds(2));
    }

    [Fact]
    public void OneSilentRoomStandsForAllOfItsDomain()
    {
        _checks.Rules = new CheckRules { Silence = Minutes(15) };
        for (int i = 0; i < 5; i++) Session($"u{i}@verona.test/a", $"r{i}@rooms.test/U");
        Session("romeo@verona.test/orchard", "garden@busy.test/Romeo");
        for (int minute = 0; minute < 14; minute++)
        {
            Assert.Empty(Pings(Minutes(1)));
            _sessions[^1].Heard(Jid.Parse("garden@busy.test/Juliet"), _now);
        }
        var first = OnePing(Minutes(2));
        Answer(first);
        var second = Pings(Minutes(15)).Single(ping => ping.Occupant.DomainJid == Rooms);
        Assert.NotEqual(first.Occupant, second.Occupant); // another one each time
        Answer(second, StanzaError.NotAcceptable);
        // The one that stands for all is lost: so may the others be.
        Assert.Equal(4, Pings(Seconds(20)).Count(ping => ping.Occupant.DomainJid == Rooms));
    }

    [Fact]
    public void NobodyIsAskedForSilenceWhenThatIsOff()
    {
        _checks.Rules = new CheckRules { Silence = TimeSpan.Zero };
        Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        Assert.Empty(Pings(Minutes(60)));
    }

    [Fact]
    public void ARoomThatDropsAgainAndAgainIsAskedEverLessOften()
    {
        var romeo = Session("romeo@verona.test/orchard");
        var flaps = new List<bool>();
        var pauses = new List<int>();
        for (int i = 0; i < 7; i++)
        {
            Join(romeo, "garden@rooms.test/Romeo");
            _checks.StreamEnded(Rooms, _now + Seconds(1));
            int waited = 0;
            CheckEffect.Ping[] pings = [];
            for (; pings.Length == 0; waited++) pings = Pings(Seconds(1));
            pauses.Add(waited);
            flaps.Add(Answer(pings[0], StanzaError.NotAcceptable).OfType<CheckEffect.Drop>().Single().IsFlapping);
        }
        // Each drop is told; the fourth and later ones in ten minutes are the room's habit.
        Assert.Equal([false, false, false, true, true, true, true], flaps);
        Assert.Equal([60, 60, 60, 60, 60, 120, 240], pauses.Select(pause => pause / 10 * 10));
    }

    [Fact]
    public void TooManyUnansweredPingsAreGivenUpTheOldestFirst()
    {
        _checks.Rules = new CheckRules { UnansweredMax = 2, WaitingMax = 4 };
        for (int i = 0; i < 5; i++) Session($"u{i}@verona.test/a", $"r{i}@rooms.test/U");
        _checks.StreamEnded(Rooms, _now);
        Pass(Seconds(59));
        var effects = Pass(Seconds(5));
        Assert.Equal(4, effects.OfType<CheckEffect.Ping>().Count());
        Assert.Equal(["r4", "r0", "r1"],
            effects.OfType<CheckEffect.Overflow>().Select(overflow => overflow.Occupant.Local.ToString()));
        Assert.Equal(2, _checks.UnansweredCount);
        Assert.Equal(4, _checks.Count);
    }

    /// <summary>The session was inside after the room was asked; whether the room has dropped it since then, only
    /// another answer tells.</summary>
    [Fact]
    public void AnAnswerThatAProofHasOvertakenIsAskedForAgain()
    {
        var romeo = Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var ping = OnePing(TimeSpan.FromSeconds(61));
        _now += TimeSpan.FromSeconds(1);
        romeo.Heard(Jid.Parse("garden@rooms.test/Romeo"), _now);
        _now += TimeSpan.FromSeconds(1);
        Assert.Empty(Answer(ping, StanzaError.NotAcceptable));
        Assert.Equal(1, romeo.Count);
        ping = OnePing(TimeSpan.FromSeconds(2));
        Assert.Contains(Answer(ping, StanzaError.NotAcceptable), effect => effect is CheckEffect.Drop);
    }

    /// <summary>Another stream has ended while the room was being asked: the answer may be of before that.</summary>
    [Fact]
    public void AnAnswerThatADoubtHasOvertakenIsAskedForAgain()
    {
        var romeo = Session("romeo@verona.test/orchard", "garden@rooms.test/Romeo");
        _checks.StreamEnded(Rooms, _now);
        var ping = OnePing(TimeSpan.FromSeconds(61));
        _checks.StreamEnded(Rooms, _now + TimeSpan.FromSeconds(1));
        Pass(TimeSpan.FromSeconds(59));
        Answer(ping);
        ping = OnePing(TimeSpan.FromSeconds(5));
        Assert.Contains(Answer(ping), effect => effect is CheckEffect.Settled { Outcome: CheckOutcome.Ok });
        Assert.Equal(1, romeo.Count);
    }
}
