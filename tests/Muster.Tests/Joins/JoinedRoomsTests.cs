using Muster.Core.Joins;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Joins;

/// <summary>What a session's presence tells its server about the rooms that it is in.</summary>
public sealed class JoinedRoomsTests
{
    const string User = "http://jabber.org/protocol/muc#user";
    static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    static readonly Jid Romeo = Jid.Parse("romeo@verona.test/orchard");

    readonly JoinedRooms _rooms = new(Romeo);
    DateTimeOffset _now = Start;

    static Presence Presence(string xml) => (Presence)Stanza.Read(TestXml.Parse(xml), out _)!;

    Jid Send(string to, string type = "", int max = 1000) =>
        _rooms.Sent(Presence($"<presence xmlns='jabber:client' from='{Romeo}' to='{to}' {type}/>"), max, _now);

    JoinChange Receive(string from, string type, string content, bool wasAddressed = false) => _rooms.Received(
        Presence($"<presence xmlns='jabber:client' from='{from}' to='{Romeo}' {type}>{content}</presence>"),
        wasAddressed, _now, out _);

    static string X(params int[] codes) => $"<x xmlns='{User}'><item affiliation='none' role='none'/>" +
        string.Concat(codes.Select(code => $"<status code='{code}'/>")) + "</x>";

    void Join(string occupant)
    {
        Send(occupant);
        Assert.Equal(JoinChange.Joined, Receive(occupant, "", X(110)));
    }

    string[] Inside => [.. _rooms.All().Select(room => room.Occupant.ToString())];

    [Fact]
    public void PresenceThatIsConfirmedIsARoom()
    {
        Send("garden@rooms.test/Romeo");
        Assert.Empty(Inside);
        Assert.Equal(JoinChange.None, Receive("garden@rooms.test/Juliet", "", X()));
        Assert.Empty(Inside);
        Assert.Equal(JoinChange.Joined, Receive("garden@rooms.test/Romeo", "", X(110)));
        Assert.Equal(["garden@rooms.test/Romeo"], Inside);
    }

    [Fact]
    public void NobodyIsPutIntoARoomWithoutAsking()
    {
        Assert.Equal(JoinChange.None, Receive("trap@rooms.test/Romeo", "", X(110)));
        Assert.Empty(Inside);
    }

    [Fact]
    public void ARoomThatAnswersLateIsBelieved()
    {
        Send("garden@rooms.test/Romeo");
        _now += TimeSpan.FromSeconds(121);
        _rooms.Expire(_now);
        Assert.Equal(JoinChange.None, Receive("garden@rooms.test/Romeo", "", X(110)));
        Assert.Equal(JoinChange.Joined, Receive("garden@rooms.test/Romeo", "", X(110), wasAddressed: true));
    }

    [Theory]
    [InlineData("<x xmlns='http://jabber.org/protocol/muc#user'/>")]
    [InlineData("<x xmlns='http://jabber.org/protocol/muc#user'><status code='x'/></x>")]
    [InlineData("<x xmlns='urn:other'><status code='110'/></x>")]
    [InlineData("")]
    public void OnlyStatus110Confirms(string content)
    {
        Send("garden@rooms.test/Romeo");
        Assert.Equal(JoinChange.None, Receive("garden@rooms.test/Romeo", "", content));
        Assert.Empty(Inside);
    }

    [Fact]
    [Spec("XEP-0045", "7.2.2")]
    public void TheServiceMayGiveAnotherNick()
    {
        Send("garden@rooms.test/Romeo");
        Assert.Equal(JoinChange.Joined, Receive("garden@rooms.test/Romeo2", "", X(110, 210)));
        Assert.Equal(["garden@rooms.test/Romeo2"], Inside);
        Assert.False(_rooms.All()[0].IsChanging);
    }

    [Fact]
    [Spec("XEP-0045", "7.6")]
    public void AnotherNickIsTheSameStay()
    {
        Join("garden@rooms.test/Romeo");
        Send("garden@rooms.test/Montague");
        Assert.True(_rooms.All()[0].IsChanging);
        Assert.Equal(JoinChange.Renamed, Receive("garden@rooms.test/Romeo", "type='unavailable'",
            $"<x xmlns='{User}'><item nick='Montague'/><status code='303'/><status code='110'/></x>"));
        Assert.Equal(["garden@rooms.test/Montague"], Inside);
        Assert.Equal(JoinChange.None, Receive("garden@rooms.test/Montague", "", X(110)));
        Assert.Equal(1, _rooms.Count);
        Assert.False(_rooms.All()[0].IsChanging);
    }

    [Fact]
    public void ANickThatIsRefusedLeavesTheOldOne()
    {
        Join("garden@rooms.test/Romeo");
        Send("garden@rooms.test/Juliet");
        Receive("garden@rooms.test/Juliet", "type='error'", "<error type='cancel'/>");
        Assert.Equal(["garden@rooms.test/Romeo"], Inside);
        Assert.False(_rooms.All()[0].IsChanging);
    }

    [Theory]
    [InlineData(307, 110)]
    [InlineData(301, 110)]
    [InlineData(333, 110)]
    [InlineData(307, 0)] // MongooseIM leaves 110 out
    public void TheRoomEndsIt(int code, int self)
    {
        Join("garden@rooms.test/Romeo");
        Assert.Equal(JoinChange.Left,
            Receive("garden@rooms.test/Romeo", "type='unavailable'", self == 0 ? X(code) : X(code, self)));
        Assert.Empty(Inside);
    }

    [Fact]
    public void TheEndOfOthersChangesNothing()
    {
        Join("garden@rooms.test/Romeo");
        Assert.Equal(JoinChange.None, Receive("garden@rooms.test/Juliet", "type='unavailable'", X(307)));
        Assert.Equal(JoinChange.None, Receive("hall@rooms.test/Romeo", "type='unavailable'", X(110)));
        Assert.Equal(["garden@rooms.test/Romeo"], Inside);
    }

    [Fact]
    public void ARefusedEntryIsNone()
    {
        Send("garden@rooms.test/Romeo");
        Receive("garden@rooms.test/Romeo", "type='error'", "<error type='auth'/>");
        Assert.Equal(JoinChange.None, Receive("garden@rooms.test/Romeo", "", X(110)));
    }

    [Fact]
    public void LeavingEndsWhenItIsConfirmedOrAfterAMinute()
    {
        Join("garden@rooms.test/Romeo");
        Join("hall@rooms.test/Romeo");
        Send("garden@rooms.test/Romeo", "type='unavailable'");
        Send("hall@rooms.test/Romeo", "type='unavailable'");
        Assert.All(_rooms.All(), room => Assert.True(room.IsChanging));
        Assert.Equal(JoinChange.Left, Receive("garden@rooms.test/Romeo", "type='unavailable'", X(110)));
        _now += TimeSpan.FromSeconds(60);
        Assert.Empty(_rooms.Expire(_now));
        _now += TimeSpan.FromSeconds(1);
        Assert.Equal([Jid.Parse("hall@rooms.test/Romeo")], _rooms.Expire(_now));
        Assert.Empty(Inside);
    }

    /// <summary>Presence that enters a room (XEP-0045 §7.2.1).</summary>
    void Enter(string to) => _rooms.Sent(Presence($"<presence xmlns='jabber:client' from='{Romeo}' to='{to}'>" +
        "<x xmlns='http://jabber.org/protocol/muc'/></presence>"), 1000, _now);

    string[] Unanswered(bool isLast = false, bool marksSelf = true) => [.. _rooms.TakeUnanswered(
        isLast ? null : _now, _ => marksSelf).Wanted.Select(occupant => occupant.ToString())];

    [Fact]
    public void ARoomThatNeverAnswersIsGivenUpAndNothingElse()
    {
        Join("hall@rooms.test/Romeo");
        Enter("garden@rooms.test/Romeo");
        Send("juliet@balcony.test/phone"); // no room: nobody said that it is one
        _now += TimeSpan.FromSeconds(120);
        Assert.Empty(Unanswered());
        _now += TimeSpan.FromSeconds(1);
        Assert.Equal(["garden@rooms.test/Romeo"], Unanswered());
        Assert.Empty(Unanswered(isLast: true));
        Assert.Equal(["hall@rooms.test/Romeo"], Inside);
    }

    [Fact]
    public void WhereNothingElseIsKnownPresenceWithoutStatus110MayBeTheAnswer()
    {
        Enter("garden@rooms.test/Romeo");
        Receive("garden@rooms.test/Romeo", "", X());
        _now += TimeSpan.FromSeconds(121);
        Assert.Empty(Unanswered(marksSelf: false));
        Assert.Equal(["garden@rooms.test/Romeo"], Unanswered(marksSelf: true));
    }

    [Fact]
    public void AtTheEndNobodyIsOnTheWayAnyMore()
    {
        Join("garden@rooms.test/Romeo");
        Send("garden@rooms.test/Romeo", "type='unavailable'");
        Enter("garden@rooms.test/Montague");
        Enter("hall@rooms.test/Romeo");
        var unanswered = _rooms.TakeUnanswered(null, _ => true);
        Assert.Equal(["garden@rooms.test/Montague", "hall@rooms.test/Romeo"],
            unanswered.Wanted.Select(occupant => occupant.ToString()));
        Assert.Equal([Jid.Parse("garden@rooms.test/Romeo")], unanswered.Left);
        Assert.Equal(0, _rooms.Count);
    }

    [Fact]
    public void WhoIsRefusedIsNotKnown()
    {
        Enter("garden@rooms.test/Romeo");
        Assert.Equal(JoinChange.Refused, Receive("garden@rooms.test/Romeo", "type='error'", ""));
        Assert.False(_rooms.Heard(Jid.Parse("garden@rooms.test/Juliet"), _now));
    }

    [Fact]
    public void StraysAreSeenToOnceASecond()
    {
        Assert.True(_rooms.TakeStray(_now));
        Assert.False(_rooms.TakeStray(_now));
        _now += TimeSpan.FromSeconds(1);
        Assert.True(_rooms.TakeStray(_now));
    }

    [Fact]
    public void WhoComesBackBeforeTheLeavingIsConfirmedIsBack()
    {
        Join("garden@rooms.test/Romeo");
        Send("garden@rooms.test/Romeo", "type='unavailable'");
        Send("garden@rooms.test/Romeo");
        Assert.Equal(JoinChange.Left, Receive("garden@rooms.test/Romeo", "type='unavailable'", X(110)));
        Assert.Empty(Inside);
        Assert.Equal(JoinChange.Joined, Receive("garden@rooms.test/Romeo", "", X(110)));
        Assert.Equal(["garden@rooms.test/Romeo"], Inside);
    }

    [Fact]
    public void WithTooManyTheSilentOneIsForgotten()
    {
        Join("a@rooms.test/Romeo");
        _now += TimeSpan.FromSeconds(1);
        Join("b@rooms.test/Romeo");
        _now += TimeSpan.FromSeconds(1);
        _rooms.Heard(Jid.Parse("a@rooms.test/Juliet"), _now);
        Assert.Equal(Jid.Parse("b@rooms.test/Romeo"), Send("c@rooms.test/Romeo", max: 2));
        Receive("c@rooms.test/Romeo", "", X(110));
        Assert.Equal(["a@rooms.test/Romeo", "c@rooms.test/Romeo"], Inside.Order());
        Assert.Equal(2, _rooms.Count);
    }

    [Fact]
    public void OwnMessagesThatComeBackProveTheStay()
    {
        Join("garden@rooms.test/Romeo");
        _now += TimeSpan.FromMinutes(5);
        _rooms.Heard(Jid.Parse("garden@rooms.test/Juliet"), _now);
        Assert.Equal((_now, Start), (_rooms.All()[0].HeardAt, _rooms.All()[0].ProvenAt));
        _rooms.Heard(Jid.Parse("garden@rooms.test/Romeo"), _now);
        Assert.Equal(_now, _rooms.All()[0].ProvenAt);
    }

    [Fact]
    public void WhatIsDroppedIsDroppedOnce()
    {
        Join("garden@rooms.test/Romeo");
        Assert.False(_rooms.Drop(Jid.Parse("garden@rooms.test/Other")));
        Assert.True(_rooms.Drop(Jid.Parse("garden@rooms.test/Romeo")));
        Assert.False(_rooms.Drop(Jid.Parse("garden@rooms.test/Romeo")));
        Join("garden@rooms.test/Romeo");
        Assert.Equal(["garden@rooms.test/Romeo"], [.. _rooms.Clear().Select(room => room.Occupant.ToString())]);
        Assert.Equal(0, _rooms.Count);
    }
}
