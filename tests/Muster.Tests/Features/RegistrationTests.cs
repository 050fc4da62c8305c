using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Server.Storage;
using Muster.Testing;

namespace Muster.Tests.Features;

/// <summary>XEP-0077, XEP-0401, XEP-0379 and XEP-0445: how accounts come into being and end.</summary>
[Spec("XEP-0077", "usecases")]
[Spec("XEP-0401", "usecases")]
[Spec("XEP-0379", "pars")]
[Spec("XEP-0445", "preauth-ibr")]
public class RegistrationTests
{
    const string Open = """
        [registration]
        in_band = true
        rate_limit = 3
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        """;

    static string SignUp(string name, string password) =>
        "<iq type='set'><query xmlns='jabber:iq:register'>" +
        $"<username>{name}</username><password>{password}</password></query></iq>";

    static string Token(string token) =>
        $"<iq type='set' to='localhost'><preauth xmlns='urn:xmpp:pars:0' token='{token}'/></iq>";

    [Fact]
    public async Task Anyone_makes_an_account_where_that_is_open()
    {
        await using var server = await TestServer.StartAsync(Open);
        var client = server.Connect();
        var features = await client.OpenAsync();
        Assert.NotNull(features.Child("http://jabber.org/features/iq-register", "register"));
        var fields = (await client.AskAsync(
            "<iq type='get' to='localhost'><query xmlns='jabber:iq:register'/></iq>")).FirstElement!;
        Assert.NotNull(fields.Child("username"));
        Assert.NotNull(fields.Child("password"));
        Assert.Equal("jabber:iq:register", DataForm.Read(fields.Child(Namespaces.DataForms, "x")!, out _)!.FormType);

        Assert.Null((await client.AskAsync(SignUp("Bill", "Calliope"))).ErrorCondition());
        // One account for one connection.
        Assert.Equal("not-acceptable", (await client.AskAsync(SignUp("bob", "Calliope"))).ErrorCondition());

        var login = server.Connect();
        await login.LoginAsync("bill", "Calliope", "globe");
        var known = (await login.AskAsync("<iq type='get'><query xmlns='jabber:iq:register'/></iq>")).FirstElement!;
        Assert.NotNull(known.Child("registered"));
        Assert.Equal("bill", known.Child("username")!.Text);
        Assert.Equal("", known.Child("password")!.Text);
    }

    [Fact]
    public async Task A_form_does_as_well()
    {
        await using var server = await TestServer.StartAsync(Open);
        var client = server.Connect();
        await client.OpenAsync();
        var form = new DataForm(DataFormType.Submit, "jabber:iq:register",
            FormField.Submitted("username", "bill"), FormField.Submitted("password", "Calliope"));
        Assert.Null((await client.AskAsync(
            $"<iq type='set'><query xmlns='jabber:iq:register'>{form.ToElement()}</query></iq>")).ErrorCondition());
        await server.Connect().LoginAsync("bill", "Calliope", null);
    }

    [Theory]
    [InlineData("", "secret", "not-acceptable")]
    [InlineData("bill", "", "not-acceptable")]
    [InlineData("a b", "secret", "jid-malformed")]
    [InlineData("a@b", "secret", "jid-malformed")]
    [InlineData("taken", "secret", "conflict")]
    [InlineData("TAKEN", "secret", "conflict")]
    [InlineData("bill", "a\u00adb", "not-acceptable")]
    public async Task Wrong_registrations(string name, string password, string condition)
    {
        await using var server = await TestServer.StartAsync(Open);
        await server.AddUserAsync("taken");
        var client = server.Connect();
        await client.OpenAsync();
        Assert.Equal(condition, (await client.AskAsync(SignUp(name, password))).ErrorCondition());
        // A mistake is no registration: the client may try again.
        Assert.Null((await client.AskAsync(SignUp("fine", "secret"))).ErrorCondition());
    }

    [Fact]
    public async Task An_address_registers_so_often_in_an_hour_and_no_more()
    {
        await using var server = await TestServer.StartAsync(Open);
        async Task<string?> RegisterAsync(string name)
        {
            var client = server.Connect();
            await client.OpenAsync();
            return (await client.AskAsync(SignUp(name, "secret"))).ErrorCondition();
        }
        for (int i = 0; i < 3; i++) Assert.Null(await RegisterAsync($"u{i}"));
        Assert.Equal("resource-constraint", await RegisterAsync("u3"));
        await server.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Null(await RegisterAsync("u3"));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("local", "local", true)]
    public void Registrations_are_counted_by_household(string one, string other, bool same) =>
        Assert.Equal(same, Muster.Server.Features.Registration.NetworkOf(one) ==
            Muster.Server.Features.Registration.NetworkOf(other));

    [Fact]
    public async Task Where_it_is_closed_only_an_invitation_helps()
    {
        await using var server = await TestServer.StartAsync();
        var client = server.Connect();
        var features = await client.OpenAsync();
        Assert.Null(features.Child("http://jabber.org/features/iq-register", "register"));
        Assert.NotNull(features.Child("urn:xmpp:ibr-token:0", "register"));
        Assert.Equal("service-unavailable",
            (await client.AskAsync("<iq type='get'><query xmlns='jabber:iq:register'/></iq>")).ErrorCondition());
        Assert.Equal("service-unavailable", (await client.AskAsync(SignUp("bill", "secret"))).ErrorCondition());
        foreach (string token in (string[])["", "wrong", new string('x', 5000)])
            Assert.Equal("item-not-found", (await client.AskAsync(Token(token))).ErrorCondition());
        Assert.Equal("service-unavailable", (await client.AskAsync(SignUp("bill", "secret"))).ErrorCondition());
    }

    [Fact]
    public async Task A_password_is_changed_by_its_owner()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        await server.AddUserAsync("juliet");
        Assert.Equal("bad-request", (await romeo.AskAsync(SignUp("romeo", ""))).ErrorCondition());
        Assert.Equal("bad-request", (await romeo.AskAsync(
            "<iq type='set'><query xmlns='jabber:iq:register'><password>x</password></query></iq>")).ErrorCondition());
        Assert.Equal("not-allowed", (await romeo.AskAsync(SignUp("juliet", "mine"))).ErrorCondition());
        Assert.Equal("registration-required", (await romeo.AskAsync(
            SignUp("juliet", "mine").Replace("type='set'", "type='set' to='juliet@localhost'",
                StringComparison.Ordinal))).ErrorCondition());
        await server.Connect().LoginAsync("romeo", "romeo", "old");

        Assert.Null((await romeo.AskAsync(SignUp("Romeo", "new"))).ErrorCondition());

        await server.Connect().LoginAsync("romeo", "new", "new");
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.Connect().LoginAsync("romeo", "romeo", "old"));
        await server.Connect().LoginAsync("juliet", "juliet", "still");
    }

    [Fact]
    public async Task An_account_that_is_removed_leaves_nothing_behind()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await juliet.RosterAsync();
        await romeo.BefriendAsync(juliet);
        var other = await server.LoginAsync("romeo", "other");
        Assert.Equal("bad-request", (await romeo.AskAsync(
            "<iq type='set'><query xmlns='jabber:iq:register'><remove/><username>romeo</username></query></iq>"))
            .ErrorCondition());

        await romeo.SendAsync("<iq type='set' id='u'><query xmlns='jabber:iq:register'><remove/></query></iq>");

        await romeo.ExpectEventuallyAsync("<iq type='result' id='u' from='*' to='*'/>");
        await romeo.ExpectStreamErrorAsync("not-authorized");
        await other.ExpectStreamErrorAsync("not-authorized");
        var received = await juliet.DrainAsync();
        Assert.Contains(received, element => element.Attribute("type") == "unsubscribed");
        Assert.Contains(received, element => element.Attribute("type") == "unsubscribe");
        Assert.Equal("none", Assert.Single(await juliet.RosterAsync()).Attribute("subscription"));
        Assert.Null(await server.Services.Database.Accounts.Find(Jid.Parse("romeo@localhost")));
        Assert.Null(server.Services.Sessions.Find(Jid.Parse("romeo@localhost")));
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.Connect().LoginAsync("romeo", "romeo", null));
        // Made anew, it has nothing of the old one, also for a client that remembers the old roster's version.
        await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        var anew = await server.LoginAsync("romeo");
        Assert.Empty(await anew.RosterAsync());
    }

    [Fact]
    public async Task Who_is_invited_makes_an_account_and_both_are_contacts()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        await romeo.RosterAsync();
        string uri = await InviteAsync(romeo);
        Assert.Matches("^xmpp:romeo@localhost\\?roster;preauth=[A-Za-z0-9]{24};ibr=y$", uri);
        string token = uri.Split("preauth=")[1].Split(';')[0];

        var guest = server.Connect();
        await guest.OpenAsync();
        Assert.Null((await guest.AskAsync(Token(token))).ErrorCondition());
        Assert.Null((await guest.AskAsync("<iq type='get'><query xmlns='jabber:iq:register'/></iq>")).ErrorCondition());
        Assert.Equal("conflict", (await guest.AskAsync(SignUp("romeo", "secret"))).ErrorCondition());
        Assert.Null((await guest.AskAsync(SignUp("juliet", "secret"))).ErrorCondition());

        await romeo.ExpectAsync("<iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='*'>" +
            "<item jid='juliet@localhost' subscription='both'/></query></iq>");
        var juliet = server.Connect();
        await juliet.LoginAsync("juliet", "secret", "test");
        Assert.Equal("both", Assert.Single(await juliet.RosterAsync()).Attribute("subscription"));
        await juliet.SendAsync("<presence/>");
        await romeo.ExpectAsync("<presence from='juliet@localhost/test' to='romeo@localhost'/>");
        await juliet.ExpectEventuallyAsync("<presence from='romeo@localhost/test' to='juliet@localhost/test'/>");

        var second = server.Connect();
        await second.OpenAsync();
        Assert.Equal("item-not-found", (await second.AskAsync(Token(token))).ErrorCondition());
    }

    [Fact]
    public async Task Of_two_with_one_invitation_one_gets_the_account_and_an_expired_one_is_none()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        string token = (await InviteAsync(romeo)).Split("preauth=")[1].Split(';')[0];
        string late = (await InviteAsync(romeo)).Split("preauth=")[1].Split(';')[0];
        var guests = new List<TestClient> { server.Connect(), server.Connect(), server.Connect() };
        foreach (var guest in guests) await guest.OpenAsync();
        foreach (var guest in guests.Take(2)) Assert.Null((await guest.AskAsync(Token(token))).ErrorCondition());
        Assert.Null((await guests[2].AskAsync(Token(late))).ErrorCondition());
        // XEP-0445 §4: shown in time is in time.
        await server.AdvanceAsync(TimeSpan.FromSeconds(30));
        Assert.Null((await guests[0].AskAsync(SignUp("one", "secret"))).ErrorCondition());
        Assert.Equal("not-allowed", (await guests[1].AskAsync(SignUp("two", "secret"))).ErrorCondition());

        await server.AdvanceAsync(TimeSpan.FromDays(8));
        var tardy = server.Connect();
        await tardy.OpenAsync();
        Assert.Equal("item-not-found", (await tardy.AskAsync(Token(late))).ErrorCondition());
    }

    [Fact]
    public async Task A_token_in_a_subscription_request_is_the_approval()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        var tybalt = await server.OnlineAsync("tybalt");
        await romeo.RosterAsync();
        await juliet.RosterAsync();
        string token = (await InviteAsync(romeo)).Split("preauth=")[1].Split(';')[0];
        string Ask(string to, string with) =>
            $"<presence type='subscribe' to='{to}'><preauth xmlns='urn:xmpp:pars:0' token='{with}'/></presence>";

        // A token is good for who issued it, and a wrong one is a request like any other.
        await tybalt.SendAsync(Ask("romeo@localhost", "wrong"));
        await romeo.ExpectAsync(
            "<presence from='tybalt@localhost' to='romeo@localhost' type='subscribe'>...</presence>");
        await juliet.SendAsync("<presence to='romeo@localhost' type='subscribed'/>");
        await juliet.DrainAsync();
        await juliet.SendAsync(Ask("romeo@localhost", token));

        await juliet.ExpectEventuallyAsync(
            "<presence from='romeo@localhost' to='juliet@localhost' type='subscribed'/>");
        await juliet.ExpectEventuallyAsync("<presence from='romeo@localhost/test' to='juliet@localhost'/>");
        // Her request is dealt with when her next one is answered: then he has been told all that came of it.
        await juliet.DrainAsync();
        await romeo.DrainAsync();
        var item = (await romeo.RosterAsync()).Single(item => item.Attribute("jid") == "juliet@localhost");
        Assert.Equal("both", item.Attribute("subscription"));
        Assert.Equal("both", Assert.Single(await juliet.RosterAsync()).Attribute("subscription"));

        await tybalt.SendAsync("<presence type='unsubscribe' to='romeo@localhost'/>");
        await tybalt.DrainAsync();
        await romeo.DrainAsync();
        await tybalt.SendAsync(Ask("romeo@localhost", token));
        await romeo.ExpectAsync(
            "<presence from='tybalt@localhost' to='romeo@localhost' type='subscribe'>...</presence>");
    }

    [Fact]
    public async Task Invitations_have_a_limit()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        for (int i = 0; i < server.Services.Limits.InvitationsMax; i++) await InviteAsync(romeo);
        var over = await romeo.AskAsync("<iq type='set' to='localhost'>" +
            "<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/></iq>");
        Assert.Equal("resource-constraint", over.ErrorCondition());
        await server.AdvanceAsync(TimeSpan.FromDays(8));
        await InviteAsync(await server.OnlineAsync("romeo", "a week later"));
    }

    [Fact]
    public async Task A_promised_name_is_kept_for_the_one_it_was_promised_to()
    {
        await using var server = await TestServer.StartAsync(Open);
        var invite = await server.Services.Invites.InviteAccount(Jid.Parse("juliet@localhost"), Jid.None);
        Assert.Equal($"xmpp:juliet@localhost?register;preauth={invite!.Token}",
            Muster.Server.Accounts.InviteBook.ToUri(invite));
        var stranger = server.Connect();
        await stranger.OpenAsync();
        Assert.Equal("conflict", (await stranger.AskAsync(SignUp("juliet", "mine"))).ErrorCondition());

        var invited = server.Connect();
        await invited.OpenAsync();
        Assert.Null((await invited.AskAsync(Token(invite.Token))).ErrorCondition());
        Assert.Equal("not-acceptable", (await invited.AskAsync(SignUp("other", "mine"))).ErrorCondition());
        Assert.Null((await invited.AskAsync(SignUp("juliet", "mine"))).ErrorCondition());
    }

    [Fact]
    public async Task An_invitation_for_one_domain_is_none_for_another()
    {
        await using var server = await TestServer.StartAsync("""
            [general]
            hosts = ["a.example", "b.example"]
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            """);
        var invite = await server.Services.Invites.InviteAccount(Jid.Parse("a.example"), Jid.None);
        Assert.Equal(InviteKind.Account, invite!.Kind);
        var guest = server.Connect("b.example");
        await guest.OpenAsync();
        Assert.Equal("item-not-found", (await guest.AskAsync(Token(invite.Token))).ErrorCondition());
    }

    static async Task<string> InviteAsync(TestClient client)
    {
        var answer = await client.AskAsync("<iq type='set' to='localhost'>" +
            "<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/></iq>");
        var command = answer.FirstElement!;
        Assert.Equal("completed", command.Attribute("status"));
        var form = DataForm.Read(command.FirstElement!, out _)!;
        Assert.Equal("urn:xmpp:invite#invitation", form.FormType);
        Assert.True(Timestamp.TryParse(form.Value("expire"), out _));
        return form.Value("uri")!;
    }
}
