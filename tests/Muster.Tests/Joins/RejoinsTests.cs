using Muster.Core.Joins;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Joins;

/// <summary>Bringing a session back into a room so that its client sees only what it missed.</summary>
public sealed class RejoinsTests
{
    const string Room = "garden@rooms.test", User = "http://jabber.org/protocol/muc#user";
    static readonly Jid Own = Jid.Parse($"{Room}/Romeo");

    readonly Rejoins _rejoins = new();
    DateTimeOffset _now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    static Stanza Read(string xml) => Stanza.Read(TestXml.Parse(xml), out _)!;

    static string Shown(string nick, string show = "", string role = "participant", string more = "") =>
        $"<presence from='{Room}/{nick}' to='romeo@verona.test/orchard'>{show}" +
        $"<x xmlns='{User}'><item role='{role}'/>{more}</x></presence>";

    static string Self(string nick = "Romeo", string more = "") => Shown(nick, more: $"{more}<status code='110'/>");

    static string Said(string id, bool isOld = false, string content = "<body>x</body>") =>
        $"<message type='groupchat' from='{Room}/Juliet' to='romeo@verona.test/orchard' id='{id}'>{content}" +
        $"<stanza-id xmlns='urn:xmpp:sid:0' by='{Room}' id='s{id}'/>" +
        (isOld ? "<delay xmlns='urn:xmpp:delay' stamp='2030-01-01T11:00:00Z'/>" : "") + "</message>";

    static string Subject(string text) =>
        $"<message type='groupchat' from='{Room}' to='romeo@verona.test/orchard'><subject>{text}</subject></message>";

    RejoinStep? Receive(string xml) => _rejoins.Receive(Read(xml), _now);

    void Enter(params string[] others)
    {
        _rejoins.Sent((Presence)Read($"<presence from='romeo@verona.test/orchard' to='{Own}'><show>away</show>" +
            "<x xmlns='http://jabber.org/protocol/muc'><password>secret</password>" +
            "<history maxstanzas='0'/></x></presence>"), _now);
        foreach (string other in others) Assert.Null(Receive(Shown(other)));
        Assert.Null(Receive(Self()));
        Assert.Null(Receive(Subject("Love")));
    }

    string[] Step(string xml) => [.. (Receive(xml) ?? throw new InvalidOperationException("it is passed on")).Deliver
        .Select(stanza => stanza is Presence presence
            ? $"{presence.TypeName ?? "available"} {presence.From.Resource}"
            : stanza.Id ?? "subject")];

    [Fact]
    public void OnlyWhatHasChangedIsShown()
    {
        Enter("Juliet", "Tybalt", "Nurse");
        Assert.Null(Receive(Said("1")));
        _now += TimeSpan.FromMinutes(1);
        Assert.Null(Receive(Said("2")));
        _now += TimeSpan.FromMinutes(10);
        var join = _rejoins.Begin(Own, _now)!;
        Assert.Equal(Own, join.To);
        Assert.Equal("away", join.Child("show")!.Text);
        Assert.Equal("<x xmlns=\"http://jabber.org/protocol/muc\"><password>secret</password>" +
            "<history since=\"2030-01-01T12:00:00.000Z\"/></x>",
            join.Child("http://jabber.org/protocol/muc", "x")!.ToString().Replace('\'', '"'));
        Assert.Null(_rejoins.Begin(Own, _now)); // it is under way

        Assert.Empty(Step(Shown("Juliet")));
        Assert.Equal(["available Nurse"], Step(Shown("Nurse", role: "moderator")));
        Assert.Equal(["available Mercutio"], Step(Shown("Mercutio")));
        var self = Receive(Self())!.Value;
        Assert.True(self.IsDone);
        var gone = Assert.IsType<Presence>(Assert.Single(self.Deliver));
        Assert.Equal((PresenceType.Unavailable, $"{Room}/Tybalt"), (gone.Type, gone.From.ToString()));

        Assert.Empty(Step(Said("1", isOld: true)));
        Assert.Empty(Step(Said("2", isOld: true)));
        Assert.Equal(["3"], Step(Said("3", isOld: true)));
        Assert.Equal(["4"], Step(Said("4", isOld: true)));
        Assert.Empty(Step(Subject("Love")));
        Assert.Null(Receive(Said("5"))); // from now on all is as before
        Assert.Null(Receive(Shown("Mercutio")));
        Assert.NotNull(_rejoins.Begin(Own, _now));
    }

    [Fact]
    public void WhereNothingKnownComesAllOfTheHistoryIsNew()
    {
        Enter();
        Assert.Null(Receive(Said("1")));
        Assert.NotNull(_rejoins.Begin(Own, _now));
        Assert.True(Receive(Self())!.Value.IsDone);
        Assert.Empty(Step(Said("7", isOld: true)));
        Assert.Empty(Step(Said("8", isOld: true)));
        Assert.Equal(["7", "8", "subject"], Step(Subject("Hate")));
    }

    [Fact]
    public void WhatIsSaidNowEndsTheWaiting()
    {
        Enter();
        Assert.NotNull(_rejoins.Begin(Own, _now));
        Receive(Self());
        Assert.Empty(Step(Said("7", isOld: true)));
        Assert.Equal(["7", "8"], Step(Said("8")));
        Assert.Null(Receive(Said("9")));
    }

    [Fact]
    public void AnotherNickIsAChangeOfTheNick()
    {
        Enter();
        Assert.NotNull(_rejoins.Begin(Own, _now));
        Assert.Equal(["unavailable Romeo", "available Romeo2"], Step(Self("Romeo2", "<status code='210'/>")));
    }

    [Fact]
    public void WhoIsRefusedHasFailed()
    {
        Enter();
        Assert.NotNull(_rejoins.Begin(Own, _now));
        var step = Receive($"<presence type='error' from='{Own}' to='romeo@verona.test/orchard'><error type='auth'>" +
            "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>")!.Value;
        Assert.Equal((false, "forbidden"), (step.IsDone, step.Failure));
        Assert.Empty(step.Deliver);
        Assert.Null(_rejoins.Begin(Own, _now)); // the client decides now
    }

    [Fact]
    public void ARoomThatDoesNotAnswerHasFailed()
    {
        Enter();
        Assert.NotNull(_rejoins.Begin(Own, _now));
        Assert.Empty(_rejoins.Expire(_now + TimeSpan.FromSeconds(59)));
        Assert.Equal([Own], _rejoins.Expire(_now + Rejoins.Patience));
        Assert.Empty(_rejoins.Expire(_now + TimeSpan.FromHours(1)));
    }

    [Fact]
    public void WhatIsNotKnownCannotBeHidden()
    {
        Assert.Null(_rejoins.Begin(Own, _now));
        Enter();
        _rejoins.Sent((Presence)Read($"<presence type='unavailable' to='{Own}'/>"), _now);
        Assert.Null(_rejoins.Begin(Own, _now));
        Enter();
        for (int i = 0; i <= Rejoins.OccupantsMax; i++) Receive(Shown($"n{i}"));
        Assert.Null(_rejoins.Begin(Own, _now));
    }

    [Fact]
    public void WhoEntersByItselfMeanwhileMustKnowThatItWasOut()
    {
        Enter("Juliet");
        Assert.NotNull(_rejoins.Begin(Own, _now));
        var enters = (Presence)Read($"<presence from='romeo@verona.test/orchard' to='{Room}/Montague'>" +
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        Assert.Equal(Own, _rejoins.Sent(enters, _now));
        Assert.Equal(Jid.None, _rejoins.Sent(enters, _now));
        Assert.Empty(_rejoins.Expire(_now + Rejoins.Patience));
        Assert.Null(Receive(Self("Montague"))); // the client's own
    }

    [Theory]
    [InlineData("Romeo")]
    [InlineData("Montague")] // the client has asked for another nick, and the room answers that it is not inside
    public void WhatTheRoomSaidOfTheEndIsNotShownWhileTheSessionComesBack(string nick)
    {
        Enter("Juliet");
        _rejoins.Begin(Own, _now);
        Assert.Empty(Step($"<presence type='unavailable' from='{Room}/{nick}' to='romeo@verona.test/orchard'>" +
            $"<x xmlns='{User}'><item role='none'/><status code='110'/><status code='333'/></x></presence>"));
        Assert.Empty(Step(Shown("Juliet")));
        Assert.True(Receive(Self())!.Value.IsDone);
    }
}
