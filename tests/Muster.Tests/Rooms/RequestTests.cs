using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Becoming a member with an admin's approval (muc.md §11), and registered nicks that must be used.</summary>
[Spec("XEP-0045", "regapprove")]
public sealed class RequestTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house", Paris = "paris@x/1";
    const string Nick = "muc#register_roomnick", Allow = "muc#register_allow";
    static readonly (string, string) Form = ("FORM_TYPE", "http://jabber.org/protocol/muc#register");

    static RoomDriver Room(RoomPolicy? policy = null, bool membersOnly = true) => RoomDriver.Stored(
        new() { MembersOnly = membersOnly, RegistrationApproval = true }, policy,
        "owner romeo@x", "admin nurse@x", "member julia@x", "outcast tybalt@x");

    static void Register(RoomDriver room, string user, params (string, string)[] fields) =>
        room.Set(user, new Element(Namespaces.Register, "query", RoomDriver.Form("submit", [Form, .. fields])));

    static void Answer(RoomDriver room, string admin, params (string, string)[] fields) =>
        room.Message(admin, "", MessageType.Normal, RoomDriver.Form("submit", [Form, .. fields]));

    static DataForm Read(Stanza stanza) => DataForm.Read(stanza.Child(Namespaces.DataForms, "x")!, out _)!;

    static Affiliation Of(RoomDriver room, string user) => room.Room.Snapshot().Affiliations
        .SingleOrDefault(entry => entry.User == Jid.Parse(user))?.Affiliation ?? Affiliation.None;

    [Fact]
    public void A_request_goes_to_the_admins_inside_and_one_of_them_approves()
    {
        var room = Room();
        room.Inside((Romeo, "Romeo"), (Nurse, "Nurse"), (Julia, "Jule"));
        Register(room, Paris, (Nick, "Paris"), ("muc#register_first", "Count"),
            ("muc#register_faqentry", "Hello\nall"));
        Assert.Equal(["result"], room.Received(Paris));
        Assert.Empty(room.Received(Julia));
        Assert.Single(room.Stanzas(Romeo));
        var question = Read(Assert.Single(room.Stanzas(Nurse)));
        Assert.Equal(("paris@x", "Paris", "Count", "Hello\nall", "0"), (question.Value("muc#jid"), question.Value(Nick),
            question.Value("muc#register_first"), question.Field("muc#register_faqentry")!.Text,
            question.Value(Allow)));
        Assert.Null(question.Field("muc#register_email")); // not filled in
        Assert.Equal(Affiliation.None, Of(room, "paris@x"));
        room.Join(Paris, "Paris");
        Assert.Equal(["error presence Paris registration-required"], room.Received(Paris));

        Answer(room, Nurse, (Nick, "Paris"), (Allow, "1"));
        Assert.Equal(Affiliation.Member, Of(room, "paris@x"));
        Assert.Equal(["normal member jid=paris@x 101",
            "normal invited from=garden@muc.x '' 'garden@muc.x invites you to the room garden@muc.x'"],
            room.Received("paris@x"));
        Answer(room, Romeo, (Nick, "Paris"), (Allow, "1")); // too late
        Assert.Equal("error message item-not-found", room.Received(Romeo)[^1]);
        room.Join(Paris, "Paris");
        Assert.Contains("presence Paris member/participant jid=paris@x/1 110", room.Received(Paris));
    }

    [Fact]
    public void Who_asks_from_inside_is_shown_as_a_member_when_approved()
    {
        var room = Room(membersOnly: false);
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"), (Paris, "Count"));
        Register(room, Paris, (Nick, "Paris"));
        Assert.Empty(room.Received(Julia));
        Answer(room, Romeo, ("muc#jid", "paris@x"), (Allow, "true"));
        Assert.Equal(["presence Count member/participant"], room.Received(Julia));
        // A member registers another nick by itself.
        Register(room, Paris, (Nick, "Count"));
        Assert.Equal("result", room.Received(Paris)[^1]);
    }

    [Fact]
    public void A_request_is_refused_in_silence_skipped_or_taken_back()
    {
        var room = Room();
        room.Inside((Romeo, "Romeo"));
        Register(room, Paris, (Nick, "Paris"));
        room.Forget();
        room.Message(Romeo, "", MessageType.Normal, RoomDriver.Form("cancel", Form));
        Assert.True(room.IsQuiet);
        Assert.Single(room.Room.Snapshot().Past); // it waits on
        Answer(room, Romeo, (Nick, "Paris"), (Allow, "0"));
        Assert.True(room.IsQuiet);
        Assert.IsType<RoomChange.AffiliationRemoved>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        Assert.Empty(room.Room.Snapshot().Past);

        Register(room, Paris, (Nick, "Paris"));
        room.Set(Paris, new Element(Namespaces.Register, "query", new Element(Namespaces.Register, "remove")));
        Assert.Equal(["result", "result"], room.Received(Paris));
        Assert.Empty(room.Room.Snapshot().Past);
        Register(room, Paris, (Nick, "Paris"));
        room.Affiliate(Romeo, "paris@x", Affiliation.Outcast); // an answer, too
        Assert.Empty(room.Room.Snapshot().Past);
    }

    [Fact]
    public void Where_no_admin_is_inside_all_are_written_to_and_who_enters_is_asked_again()
    {
        var room = Room();
        room.Inside((Julia, "Jule"));
        Register(room, Paris, (Nick, "Paris"));
        Assert.Single(room.Stanzas("romeo@x"));
        Assert.Single(room.Stanzas("nurse@x"));
        room.Restart();
        room.Join(Nurse, "Nurse");
        Assert.Equal("Paris", Read(room.Stanzas(Nurse)[^1]).Value(Nick));
        room.Join(Julia, "Jule");
        Assert.Null(room.Stanzas(Julia)[^1].Child(Namespaces.DataForms, "x"));
        room.Leave(Nurse, "Nurse");
        Answer(room, Nurse, (Nick, "Paris"), (Allow, "1")); // from without
        Assert.Equal(Affiliation.Member, Of(room, "paris@x"));
    }

    [Fact]
    public void Answers_that_are_refused()
    {
        var room = Room();
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        Register(room, Paris, (Nick, "Paris"));
        room.Forget();
        Answer(room, Julia, (Nick, "Paris"), (Allow, "1"));
        Assert.Equal(["error message forbidden"], room.Received(Julia));
        Answer(room, Paris, (Nick, "Paris"), (Allow, "1"));
        Assert.Equal(["error message forbidden"], room.Received(Paris));
        Answer(room, Romeo, (Nick, "Paris"));
        Answer(room, Romeo, (Nick, "Paris"), (Allow, "perhaps"));
        Answer(room, Romeo, (Allow, "1"));
        Answer(room, Romeo, ("muc#jid", "@@"), (Allow, "1"));
        Answer(room, Romeo, (Nick, "Romeo"), (Allow, "1"));
        Assert.Equal(["error message bad-request", "error message bad-request", "error message bad-request",
            "error message bad-request", "error message item-not-found"], room.Received(Romeo));
        room.Room.Policy = new() { AffiliationsMax = 4 };
        Answer(room, Romeo, (Nick, "Paris"), (Allow, "1"));
        Assert.Equal(["error message resource-constraint"], room.Received(Romeo));
        room.Room.Policy = new();
        Register(room, Julia, (Nick, "Paris")); // a member was faster
        room.Forget();
        Answer(room, Romeo, (Nick, "Paris"), (Allow, "1"));
        Assert.Equal(["error message conflict"], room.Received(Romeo));
    }

    [Fact]
    public void Requests_are_bounded_in_number_time_size_and_pace()
    {
        var room = Room(new() { RequestsMax = 2 });
        Register(room, Paris, (Nick, "Paris"));
        Register(room, Paris, (Nick, "Count"));
        Assert.Equal(["result", "error iq resource-constraint"], room.Received(Paris));
        room.Pass(61);
        Register(room, Paris, (Nick, "Count"));
        Assert.Equal(["result"], room.Received(Paris));
        Register(room, "a@x/1", (Nick, "Count")); // asked for already
        Register(room, "a@x/1", (Nick, "A"), ("muc#register_email", new string('x', 1025)));
        Register(room, "a@x/1", (Nick, "A"));
        Assert.Equal(["error iq conflict", "error iq not-acceptable", "result"], room.Received("a@x/1"));
        Register(room, "b@x/1", (Nick, "B"));
        Assert.Equal(["error iq resource-constraint"], room.Received("b@x/1"));
        Register(room, "tybalt@x/1", (Nick, "T"));
        Assert.Equal(["error iq forbidden"], room.Received("tybalt@x/1"));
        room.Pass(31 * 86_400);
        Register(room, "b@x/1", (Nick, "B"));
        Assert.Equal(["result"], room.Received("b@x/1"));
        Assert.Single(room.Room.Snapshot().Past);
    }

    [Fact]
    public void The_form_asks_for_more_where_somebody_reads_it()
    {
        var room = Room();
        room.Get(Paris, new Element(Namespaces.Register, "query"));
        var query = Assert.Single(room.Stanzas(Paris)).Elements.Single();
        Assert.Contains(DataForm.Read(query.Child(Namespaces.DataForms, "x")!, out _)!.Fields,
            field => field.Var == "muc#register_email");
        Register(room, Paris, (Nick, "Paris"), ("muc#register_email", "paris@verona.example"));
        room.Forget();
        room.Get(Paris, new Element(Namespaces.Register, "query"));
        query = Assert.Single(room.Stanzas(Paris)).Elements.Single();
        Assert.Null(query.Child("registered")); // not yet
        var form = DataForm.Read(query.Child(Namespaces.DataForms, "x")!, out _)!;
        Assert.Equal(("Paris", "paris@verona.example"), (form.Value(Nick), form.Value("muc#register_email")));
        room.Get(Julia, new Element(Namespaces.Register, "query"));
        query = Assert.Single(room.Stanzas(Julia)).Elements.Single();
        Assert.DoesNotContain(DataForm.Read(query.Child(Namespaces.DataForms, "x")!, out _)!.Fields,
            field => field.Var == "muc#register_email");
    }

    // ---- Nicks that the service reserves and enforces ----

    [Fact, Spec("XEP-0045", "register")]
    public void Where_the_service_says_so_a_members_first_nick_is_registered()
    {
        var room = RoomDriver.Stored(null, new() { ReservesNicks = true },
            "owner romeo@x", "member nurse@x as Angelica", "member julia@x");
        room.Inside((Julia, "Jule"), (Nurse, "Nurse"), (Paris, "Paris"));
        room.Leave(Julia, "Jule");
        room.Join(Julia, "Juliet"); // the first one counts
        var nicks = room.Room.Snapshot().Affiliations.OrderBy(entry => entry.User).Select(entry => entry.Nick);
        Assert.Equal(["Jule", "Angelica", null], nicks);
        room.Facts("romeo@x", new SenderFacts { NickOwner = Jid.Parse("romeo@x") });
        room.Inside((Romeo, "Romeo"));
        Assert.Equal("Romeo", room.Room.Snapshot().Affiliations.Single(e => e.User == Jid.Parse("romeo@x")).Nick);
    }

    [Fact, Spec("XEP-0045", "register")]
    public void Where_the_service_says_so_registered_nicks_must_be_used_in_every_room()
    {
        var room = RoomDriver.Stored(null, new() { EnforcesNicks = true }, "member nurse@x as Angelica");
        room.Join(Nurse, "Nurse");
        Assert.Contains("presence Angelica member/participant jid=nurse@x/house 110 210", room.Received(Nurse));
        room.Presence(Nurse, "Nurse");
        Assert.Equal(["error presence Nurse not-acceptable"], room.Received(Nurse));
    }

    // ---- Whom to ask, and where the log is ----

    static DataForm Info(RoomDriver room)
    {
        room.Get(Paris, new Element(Namespaces.DiscoInfo, "query"));
        return DataForm.Read(Assert.Single(room.Stanzas(Paris)).Elements.Single().Child(Namespaces.DataForms, "x")!,
            out _)!;
    }

    [Fact, Spec("XEP-0045", "disco-roominfo")]
    public void A_room_names_its_contacts_and_the_address_of_its_log()
    {
        var room = RoomDriver.Stored(null, new() { LogsAddress = "https://logs.example/" }, "owner romeo@x",
            "owner julia@x", "admin nurse@x");
        Assert.Null(Info(room).Field("muc#roominfo_contactjid")); // addresses are hidden here
        Assert.Null(Info(room).Field("muc#roominfo_logs"));
        room.Configure(Romeo, ("muc#roomconfig_whois", "anyone"), ("muc#roomconfig_enablelogging", "1"));
        Assert.Equal(["julia@x", "romeo@x"], Info(room).Values("muc#roominfo_contactjid"));
        Assert.Equal("https://logs.example/garden%40muc.x/", Info(room).Value("muc#roominfo_logs"));
        room.Configure(Romeo, ("muc#roomconfig_contactjid", "help@x"), ("muc#roomconfig_whois", "moderators"));
        Assert.Equal(["help@x"], Info(room).Values("muc#roominfo_contactjid"));
        room.Forget();
        room.Configure(Romeo, ("muc#roomconfig_contactjid", "@@"));
        Assert.Equal(["error iq bad-request"], room.Received(Romeo));
    }
}
