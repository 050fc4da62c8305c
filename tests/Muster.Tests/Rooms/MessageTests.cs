using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Talk, private messages, the subject and the history (muc.md §6, §8, §21).</summary>
[Feature("MU-01")]
public sealed class MessageTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";

    static RoomDriver Inside(RoomOptions? options = null, RoomPolicy? policy = null)
    {
        var room = RoomDriver.Stored(options, policy, "owner romeo@x", "member nurse@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"), (Nurse, "Nurse"));
        return room;
    }

    // ---- To all ----

    [Fact, Spec("XEP-0045", "message")]
    public void A_message_reaches_all_its_sender_too_archived_first_under_the_same_id()
    {
        var room = Inside();
        room.Say(Julia, "O Romeo");
        var archived = Assert.IsType<RoomEffect.Archive>(room.Effects[0]);
        var broadcast = Assert.IsType<RoomEffect.Broadcast>(room.Effects[1]);
        Assert.Equal(2, room.Effects.Count);
        Assert.Same(archived.Stanza, broadcast.Stanza);
        Assert.Equal((Jid.Parse(Julia), RoomMessageKind.Message), (archived.Sender, archived.Kind));
        Assert.Equal(3, broadcast.Sessions.Length);
        var copy = Assert.Single(room.Stanzas(Nurse));
        Assert.Equal(("garden@muc.x/Jule", Nurse), (copy.From.ToString(), copy.To.ToString()));
        Assert.Equal(copy.Id, Assert.Single(room.Stanzas(Julia)).Id);
        var id = copy.Child(Namespaces.StanzaIds, "stanza-id")!;
        Assert.Equal((archived.Id.ToString(), RoomDriver.Address), (id.Attribute("id"), id.Attribute("by")));
        Assert.NotNull(copy.Child(Namespaces.OccupantId, "occupant-id"));
    }

    [Fact]
    public void Recipients_are_the_same_array_until_somebody_comes_or_goes()
    {
        var room = Inside();
        room.Say(Julia, "one");
        var first = room.Effects.OfType<RoomEffect.Broadcast>().Single().Sessions;
        room.Say(Romeo, "two");
        // The same array, not an equal one.
        Assert.True(first == room.Effects.OfType<RoomEffect.Broadcast>().Single().Sessions);
        room.Leave(Nurse, "Nurse");
        room.Say(Romeo, "three");
        Assert.Equal(2, room.Effects.OfType<RoomEffect.Broadcast>().Single().Sessions.Length);
        Assert.Equal(3, first.Length);
    }

    [Fact]
    public void A_message_without_id_gets_one()
    {
        var room = Inside();
        room.Send(new Message(MessageType.Groupchat, Jid.Parse(Julia), RoomDriver.At(""), null,
            new Element(Namespaces.Client, "body", "x")));
        Assert.False(string.IsNullOrEmpty(Assert.Single(room.Stanzas(Nurse)).Id));
    }

    [Fact]
    public void What_claims_to_come_from_the_room_is_taken_out()
    {
        var room = Inside();
        room.Say(Julia, "trust me",
            new Element(Namespaces.StanzaIds, "stanza-id").With("by", "GARDEN@muc.x").With("id", "1"),
            new Element(Namespaces.StanzaIds, "stanza-id").With("by", "julia@x").With("id", "2"),
            new Element(Namespaces.StanzaIds, "origin-id").With("id", "3"),
            new Element(Namespaces.Delay, "delay").With("from", RoomDriver.Address).With("stamp",
                "2002-01-01T00:00:00Z"),
            new Element(Namespaces.Delay, "delay").With("from", "gateway.example").With("stamp",
                "2002-01-01T00:00:00Z"),
            new Element(Namespaces.OccupantId, "occupant-id").With("id", "romeo"),
            new Element(Namespaces.MucUser, "x", new Element(Namespaces.MucUser, "status").With("code", "104")));
        var copy = Assert.Single(room.Stanzas(Nurse));
        Assert.Equal(2, copy.Elements.Count(e => e.Is(Namespaces.StanzaIds, "stanza-id")));
        Assert.DoesNotContain(copy.Elements, e => e.Attribute("id") is "1" or "romeo");
        Assert.NotNull(copy.Child(Namespaces.StanzaIds, "origin-id"));
        Assert.Equal("gateway.example", Assert.Single(copy.Elements,
            e => e.Namespace == Namespaces.Delay).Attribute("from"));
        Assert.Null(copy.Child(Namespaces.MucUser, "x"));
    }

    [Fact, Spec("XEP-0045", "message")]
    public void Who_is_not_inside_may_not_speak()
    {
        var room = Inside();
        room.Say("tybalt@x/1", "draw!");
        Assert.Equal(["error message not-acceptable"], room.Received("tybalt@x/1"));
        Assert.Empty(room.Archived);
    }

    [Fact, Spec("XEP-0045", "message"), Feature("MU-37")]
    public void A_visitor_may_speak_only_where_the_room_is_not_moderated()
    {
        var room = Inside(new() { MembersByDefault = false });
        room.Say(Julia, "may I?");
        Assert.Equal(["error message forbidden"], room.Received(Julia));
        Assert.True(room.IsQuiet);
        room = Inside(new() { MembersByDefault = false, Moderated = false });
        room.Say(Julia, "I may");
        Assert.Equal(["groupchat Jule 'I may'"], room.Received(Nurse));
    }

    [Fact, Feature("MU-07")]
    public void An_administrator_of_the_service_speaks_as_the_room()
    {
        var room = Inside();
        room.Facts("prince@x", new SenderFacts { IsServiceAdmin = true });
        room.Say("prince@x/1", "Rebellious subjects!");
        Assert.Equal(["groupchat 'Rebellious subjects!'"], room.Received(Nurse));
    }

    [Fact]
    public void An_announcement_of_the_service_is_history_too()
    {
        var room = Inside();
        room.Happen(new RoomEvent.Announce(new Message(MessageType.Normal, Jid.Parse("prince@x/1"),
            Jid.Parse("muc.x"), "a",
            new Element(Namespaces.Client, "body", "Peace!"))));
        Assert.Equal(["groupchat 'Peace!'"], room.Received(Nurse));
        room.Join("tybalt@x/1", "Tybalt");
        Assert.Contains("groupchat 'Peace!' delayed", room.Received("tybalt@x/1"));
    }

    [Theory]
    [InlineData(MessageType.Chat, "error message not-acceptable")]
    [InlineData(MessageType.Headline, "error message not-acceptable")]
    [InlineData(MessageType.Normal, "error message bad-request")]
    public void Other_messages_to_the_room_are_refused(MessageType type, string expected)
    {
        var room = Inside();
        room.Whisper(Julia, "", "x", type);
        Assert.Equal([expected], room.Received(Julia));
    }

    [Fact]
    public void What_is_passing_is_shown_but_neither_archived_nor_history()
    {
        var room = Inside();
        room.Message(Julia, "", MessageType.Groupchat, new Element("http://jabber.org/protocol/chatstates",
            "composing"));
        room.Say(Julia, "secret", new Element(Namespaces.Hints, "no-store"));
        Assert.Equal(2, room.Stanzas(Nurse).Count(stanza => stanza.Child(Namespaces.StanzaIds, "stanza-id") is null));
        Assert.Empty(room.Archived);
        room.Join("tybalt@x/1", "Tybalt");
        Assert.DoesNotContain(room.Received("tybalt@x/1"), line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("eu.siacs.conversations.axolotl", "encrypted")]
    [InlineData("urn:xmpp:chat-markers:0", "displayed")]
    [InlineData(Namespaces.Hints, "store")]
    public void Messages_without_body_that_mean_something_are_kept(string ns, string name)
    {
        var room = Inside();
        room.Message(Julia, "", MessageType.Groupchat, new Element(ns, name));
        Assert.Equal(RoomMessageKind.Message, Assert.Single(room.Archived).Kind);
    }

    // ---- To one ----

    [Fact, Spec("XEP-0045", "privatemessage"), Feature("MU-31")]
    public void A_private_message_reaches_all_sessions_of_one_nick_marked_as_private_and_is_not_archived()
    {
        var room = Inside(new() { AllowMultipleSessions = true });
        room.Join("nurse@x/phone", "Nurse");
        room.Forget();
        room.Whisper(Julia, "Nurse", "come hither");
        foreach (string session in (string[])[Nurse, "nurse@x/phone"])
        {
            var copy = Assert.Single(room.Stanzas(session));
            Assert.Equal("garden@muc.x/Jule", copy.From.ToString());
            Assert.NotNull(copy.Child(Namespaces.MucUser, "x"));
            Assert.NotNull(copy.Child(Namespaces.OccupantId, "occupant-id"));
            Assert.Equal("come hither", ((Message)copy).Body);
        }
        Assert.True(room.IsQuiet);
        Assert.Empty(room.Archived);
    }

    [Fact, Spec("XEP-0045", "privatemessage")]
    public void Private_messages_that_are_refused()
    {
        var room = Inside();
        room.Whisper("tybalt@x/1", "Jule", "x");
        Assert.Equal(["error message Jule not-acceptable"], room.Received("tybalt@x/1"));
        room.Whisper(Julia, "Nobody", "x");
        Assert.Equal(["error message Nobody item-not-found"], room.Received(Julia));
        room.Whisper(Julia, "Nurse", "x", MessageType.Groupchat);
        Assert.Equal(["error message Nurse bad-request"], room.Received(Julia));
        Assert.True(room.IsQuiet);
    }

    [Theory, Feature("MU-31")]
    [InlineData(PrivateMessages.None, false, false)]
    [InlineData(PrivateMessages.Moderators, true, false)]
    [InlineData(PrivateMessages.Participants, true, true)]
    public void Private_messages_where_they_are_limited(PrivateMessages who, bool moderator, bool participant)
    {
        var room = Inside(new() { PrivateMessages = who, MembersByDefault = false });
        room.Whisper(Romeo, "Nurse", "x");
        Assert.Equal(moderator ? [] : ["error message Nurse forbidden"], room.Received(Romeo));
        room.Whisper(Nurse, "Romeo", "x");
        Assert.Equal(participant ? [] : ["error message Romeo forbidden"],
            room.Received(Nurse).Where(l => l.StartsWith("error", StringComparison.Ordinal)));
        room.Whisper(Julia, "Romeo", "x");
        Assert.Equal(["error message Romeo forbidden"], room.Received(Julia));
    }

    // ---- The subject ----

    [Fact, Spec("XEP-0045", "subject-occupant"), Spec("XEP-0045", "enter-subject"), Feature("MU-29", "MU-49", "MU-50")]
    public void A_participant_changes_the_subject_where_allowed()
    {
        var room = Inside();
        room.Subject(Julia, "Love");
        Assert.Equal(["groupchat Jule subject='Love'"], room.Received(Nurse));
        Assert.Equal(RoomMessageKind.Subject, Assert.Single(room.Archived).Kind);
        Assert.IsType<RoomChange.SubjectSet>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        room.Now += TimeSpan.FromHours(1);
        room.Join("tybalt@x/1", "Tybalt");
        var subject = room.Stanzas("tybalt@x/1")[^1];
        Assert.Equal("garden@muc.x/Jule", subject.From.ToString());
        Assert.Equal("2024-05-01T12:00:00.000Z", subject.Child(Namespaces.Delay, "delay")!.Attribute("stamp"));
        Assert.Null(subject.Child("body"));
    }

    [Fact, Spec("XEP-0045", "subject-mod"), Feature("MU-29")]
    public void Where_it_is_not_allowed_only_moderators_change_it()
    {
        var room = Inside(new() { AllowSubjectChange = false });
        room.Subject(Julia, "Love");
        Assert.Equal(["error message forbidden"], room.Received(Julia));
        room.Subject(Romeo, "War");
        Assert.Equal(["groupchat Romeo subject='War'"], room.Received(Julia));
        room.Subject(Romeo, "");
        Assert.Equal(["groupchat Romeo subject=''"], room.Received(Julia));
    }

    [Fact]
    public void A_visitor_never_changes_it()
    {
        var room = Inside(new() { MembersByDefault = false, Moderated = false });
        room.Subject(Julia, "Love");
        Assert.Equal(["error message forbidden"], room.Received(Julia));
    }

    [Fact]
    public void A_message_with_body_and_subject_is_no_subject_change()
    {
        var room = Inside();
        room.Say(Julia, "hi", new Element(Namespaces.Client, "subject", "Love"));
        Assert.Equal("", room.Room.Subject.Text);
        Assert.Equal(RoomMessageKind.Message, Assert.Single(room.Archived).Kind);
    }

    [Fact]
    public void A_subject_beyond_the_limit_is_refused()
    {
        var room = Inside();
        room.Subject(Julia, new string('x', 1_000_000));
        Assert.Equal(["error message policy-violation"], room.Received(Julia));
        Assert.Equal("", room.Room.Subject.Text);
    }

    [Fact, Feature("MU-49")]
    public void The_subject_survives_a_restart_with_author_and_time()
    {
        var room = Inside();
        room.Subject(Julia, "Love");
        room.Restart();
        Assert.Equal(new RoomSubject("Love", "Jule", room.Now), room.Room.Subject);
    }

    // ---- History ----

    static string[] Bodies(RoomDriver room, MucHistoryRequest? request)
    {
        room.Join("tybalt@x/1", "Tybalt", null, request);
        var bodies =
            room.Stanzas("tybalt@x/1").OfType<Message>().Where(m => m.Body is not null).Select(m => m.Body!).ToArray();
        room.Leave("tybalt@x/1", "Tybalt");
        return bodies;
    }

    [Fact, Spec("XEP-0045", "enter-managehistory"), Feature("MU-09")]
    public void Of_all_limits_on_history_the_one_that_leaves_least_decides()
    {
        var room = Inside(null, new() { HistorySize = 4 });
        for (int i = 1; i <= 6; i++)
        {
            room.Say(Julia, $"{i}");
            room.Now += TimeSpan.FromSeconds(10);
        }
        Assert.Equal(["3", "4", "5", "6"], Bodies(room, null));
        Assert.Equal(["5", "6"], Bodies(room, new(MaxStanzas: 2)));
        Assert.Equal([], Bodies(room, new(MaxStanzas: 0)));
        Assert.Equal([], Bodies(room, new(MaxChars: 0)));
        Assert.Equal(["4", "5", "6"], Bodies(room, new(Seconds: 30)));
        Assert.Equal(["6"], Bodies(room, new(Since: room.Now - TimeSpan.FromSeconds(10))));
        Assert.Equal(["6"], Bodies(room, new(MaxStanzas: 1, Seconds: 30)));
        Assert.Equal(["3", "4", "5", "6"], Bodies(room, new(Seconds: int.MaxValue)));
    }

    [Fact, Spec("XEP-0045", "enter-managehistory")]
    public void Characters_count_complete_stanzas_and_the_newest_stay()
    {
        var room = Inside();
        for (int i = 1; i <= 3; i++) room.Say(Julia, $"{i}");
        room.Join("tybalt@x/1", "Tybalt");
        var copy = room.Stanzas("tybalt@x/1").OfType<Message>().First(message => message.Body is not null);
        int size = System.Text.Encoding.UTF8.GetByteCount(copy.ToString());
        room.Leave("tybalt@x/1", "Tybalt");
        Assert.Equal(["2", "3"], Bodies(room, new(MaxChars: size * 2)));
        Assert.Equal(["3"], Bodies(room, new(MaxChars: size * 2 - 1)));
        Assert.Equal([], Bodies(room, new(MaxChars: size - 1)));
    }

    [Fact, Spec("XEP-0045", "enter-history"), Feature("MU-44")]
    public void History_tells_the_time_and_reveals_no_address()
    {
        var room = Inside(new() { Anonymous = false });
        room.Say(Julia, "x");
        room.Now += TimeSpan.FromDays(1);
        room.Join("tybalt@x/1", "Tybalt");
        var copy = room.Stanzas("tybalt@x/1").Single(stanza => stanza is Message { Body: not null });
        var delay = copy.Child(Namespaces.Delay, "delay")!;
        Assert.Equal((RoomDriver.Address, "2024-05-01T12:00:00.000Z"), (delay.Attribute("from"),
            delay.Attribute("stamp")));
        Assert.NotNull(copy.Child(Namespaces.StanzaIds, "stanza-id"));
    }

    [Fact, Feature("MU-09")]
    public void No_history_where_the_size_is_zero_and_the_owners_length_counts()
    {
        var room = Inside(null, new() { HistorySize = 0 });
        room.Say(Julia, "x");
        Assert.Empty(Bodies(room, null));
        room = Inside(new() { HistoryLength = 2 });
        for (int i = 1; i <= 3; i++) room.Say(Julia, $"{i}");
        Assert.Equal(["2", "3"], Bodies(room, null));
        Assert.Equal(["2", "3"], Bodies(room, new(MaxStanzas: 10)));
    }

    [Fact, Feature("MU-09")]
    public void History_comes_back_from_the_archive()
    {
        var room = Inside();
        room.Say(Julia, "before");
        room.Restart(room.Archived.Select(a => new HistoryEntry(a.Id, a.At, a.Stanza)));
        Assert.Equal(["before"], Bodies(room, null));
    }

    [Fact]
    public void Nothing_is_archived_where_the_owner_does_not_want_it()
    {
        var room = Inside(new() { Archiving = false });
        room.Say(Julia, "off the record");
        Assert.Empty(room.Archived);
        Assert.Equal(["groupchat Jule 'off the record'"], room.Received(Nurse));
    }

    // ---- Ghosts ----

    [Theory, Spec("XEP-0045", "service-error-kick"), Spec("XEP-0045", "impl-service-ghosts"), Feature("CN-13")]
    [InlineData("gone")]
    [InlineData("internal-server-error")]
    [InlineData("item-not-found")]
    [InlineData("jid-malformed")]
    [InlineData("recipient-unavailable")]
    [InlineData("redirect")]
    [InlineData("remote-server-not-found")]
    [InlineData("remote-server-timeout")]
    [InlineData("service-unavailable")]
    public void A_bounce_takes_the_ghost_out(string condition)
    {
        var room = Inside();
        room.Bounce(Julia, "Romeo", condition);
        const string Why = "Kicked: recipient unavailable";
        Assert.Equal([$"presence Jule unavailable none/none '{Why}' 333 status='{Why}'"], room.Received(Nurse));
        Assert.Equal(condition, room.Effects.OfType<RoomEffect.Undeliverable>().Single().Condition);
        Assert.DoesNotContain(Jid.Parse(Julia), room.Room.Sessions);
    }

    [Fact]
    public void An_error_to_presence_takes_the_session_out_whatever_it_says()
    {
        var room = Inside();
        room.Send(new Presence(PresenceType.Error, Jid.Parse(Julia), RoomDriver.At("Romeo"), "x",
            StanzaError.NotAcceptable.ToElement()));
        Assert.DoesNotContain(Jid.Parse(Julia), room.Room.Sessions);
    }

    [Fact]
    public void Only_the_session_that_failed_goes()
    {
        var room = Inside(new() { AllowMultipleSessions = true });
        room.Join("julia@x/phone", "Jule");
        room.Forget();
        room.Bounce("julia@x/phone", "", "recipient-unavailable");
        Assert.Empty(room.Received(Nurse));
        Assert.Contains(Jid.Parse(Julia), room.Room.Sessions);
    }

    [Fact]
    public void Other_errors_go_to_the_other_party_without_what_could_reveal_a_host()
    {
        var room = Inside();
        room.Bounce(Julia, "Nurse", "policy-violation");
        var error = Assert.Single(room.Stanzas(Nurse));
        Assert.Equal("garden@muc.x/Jule", error.From.ToString());
        Assert.Equal(("policy-violation", null), (error.Error!.Condition, error.Error.Text));
        Assert.Contains(Jid.Parse(Julia), room.Room.Sessions);
    }

    [Fact]
    public void A_malformed_error_takes_the_ghost_out_and_errors_of_strangers_are_dropped()
    {
        var room = Inside();
        room.Message("tybalt@x/1", "Nurse", MessageType.Error);
        room.Bounce("julia@x", "Nurse", "service-unavailable"); // from a bare JID: an answer to an offline copy
        Assert.True(room.IsQuiet);
        room.Message(Julia, "Nurse", MessageType.Error, new Element(Namespaces.Client, "error"));
        Assert.Contains("333", Assert.Single(room.Received(Nurse)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_session_that_the_host_knows_to_be_lost_goes_too()
    {
        var room = Inside();
        room.Happen(new RoomEvent.SessionLost(Jid.Parse(Julia), "Lost"));
        Assert.Equal(["presence Jule unavailable none/none 'Lost' 333 status='Lost'"], room.Received(Nurse));
    }
}
