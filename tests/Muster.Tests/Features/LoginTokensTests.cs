using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Sasl;
using Muster.Protocol.Xml;
using Muster.Server.Accounts;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Features;

/// <summary>Tokens in a whole server (XEP-0484): given out, used, replaced, taken back.</summary>
[Spec("XEP-0484", "usecases")]
public class LoginTokensTests
{
    const string Phone = "d4565fa7-4d72-4749-b3d3-740edbf87770", Tablet = "00000000-4d72-4749-b3d3-740edbf87770";
    const string Request = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>";
    static readonly Jid Juliet = Jid.Parse("juliet@localhost");

    [Fact]
    public async Task A_token_logs_in_again_and_again_until_it_expires()
    {
        await using var server = await TestServer.StartAsync("""
            [[listen.c2s]]
              port = 0
              tls.mode = "none"
            [auth.tokens]
              lifetime = 3000
              rotation = 3600
            """);
        var success = await PasswordAsync(server, Phone, Request);
        string token = TokenOf(success)!;
        Assert.StartsWith("secret-token:", token, StringComparison.Ordinal);
        Assert.True(Timestamp.TryParse(
            success.Child(Namespaces.Fast, "token")!.Attribute("expiry"), out var expiry));
        Assert.Equal(server.Clock.GetUtcNow().AddMinutes(50), expiry);
        for (int i = 0; i < 3; i++)
        {
            var again = await TokenAsync(server, token, bind: "<bind xmlns='urn:xmpp:bind:0'/>");
            Assert.Equal("success", again.Name);
            Assert.StartsWith("juliet@localhost/", again.Child("authorization-identifier")!.Text,
                StringComparison.Ordinal);
            // §3.3 of the mechanism: the server shows that it knows the token too.
            Assert.Equal(Convert.ToBase64String(HashedToken.Sha256.Answer(token, [])),
                again.Child("additional-data")!.Text);
            Assert.Null(TokenOf(again));
        }
        await server.AdvanceAsync(TimeSpan.FromMinutes(49));
        Assert.Equal("success", (await TokenAsync(server, token)).Name);
        await server.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal("credentials-expired", Condition(await TokenAsync(server, token)));
        await server.AdvanceAsync(TimeSpan.FromHours(2)); // and forgotten
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, token)));
    }

    [Fact]
    public async Task An_old_token_is_replaced_and_good_until_the_new_one_is_used()
    {
        await using var server = await TestServer.StartAsync();
        string old = TokenOf(await PasswordAsync(server, Phone, Request))!;
        await server.AdvanceAsync(TimeSpan.FromHours(25));
        string lost = TokenOf(await TokenAsync(server, old))!; // that answer never reached the client
        string young = TokenOf(await TokenAsync(server, old))!;
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, lost)));
        Assert.Equal("success", (await TokenAsync(server, young)).Name);
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, old)));
    }

    [Fact]
    public async Task A_token_is_good_for_its_own_client_and_account_and_never_replayed()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("romeo");
        string token = TokenOf(await PasswordAsync(server, Phone, Request))!;
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, token, Tablet)));
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, token, user: "romeo")));
        Assert.Equal("success", (await TokenAsync(server, token, attributes: "count='3'")).Name);
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, token, attributes: "count='3'")));
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, token, attributes: "count='2'")));
        Assert.Equal("success", (await TokenAsync(server, token, attributes: "count='4'")).Name);
    }

    [Fact]
    public async Task A_client_that_logs_out_gives_its_tokens_up_and_others_keep_theirs()
    {
        await using var server = await TestServer.StartAsync();
        string phone = TokenOf(await PasswordAsync(server, Phone, Request))!;
        string tablet = TokenOf(await PasswordAsync(server, Tablet, Request))!;
        Assert.Equal("success", (await TokenAsync(server, phone, attributes: "invalidate='1'")).Name);
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, phone)));
        Assert.Equal("success", (await TokenAsync(server, tablet, Tablet)).Name);
    }

    [Fact]
    public async Task A_new_password_makes_all_tokens_worthless_also_one_that_is_being_given_out()
    {
        await using var server = await TestServer.StartAsync();
        string phone = TokenOf(await PasswordAsync(server, Phone, Request))!;
        var database = (MemoryDatabase)server.Services.Database;
        // As if the process had ended after the new password and before the tokens were removed.
        var account = (await database.Accounts.Find(Juliet))!;
        await database.Accounts.Update(account with { ScramSha256 = account.ScramSha256 + "x" });
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, phone)));
        await database.Accounts.Update(account);
        Assert.Equal("success", (await TokenAsync(server, phone)).Name);

        Assert.Equal(AccountOutcome.Done, await server.Services.AccountBook.SetPassword(Juliet, "another"));
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, phone)));
        Assert.Equal(0, await server.Services.Tokens.Revoke(Juliet));
    }

    [Fact]
    public async Task Who_takes_the_name_of_a_removed_account_does_not_inherit_its_clients()
    {
        await using var server = await TestServer.StartAsync();
        string token = TokenOf(await PasswordAsync(server, Phone, Request))!;
        await server.Services.Local.RemoveAccount(Juliet);
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, token)));
        await server.AddUserAsync("juliet");
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, token)));
    }

    [Fact]
    public async Task A_locked_account_is_told_so_by_its_own_token_alone()
    {
        await using var server = await TestServer.StartAsync();
        string token = TokenOf(await PasswordAsync(server, Phone, Request))!;
        var accounts = server.Services.Database.Accounts;
        await accounts.Update((await accounts.Find(Juliet))! with { Disabled = true });
        Assert.Equal("account-disabled", Condition(await TokenAsync(server, token)));
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, token + "x")));
    }

    [Fact]
    public async Task A_store_that_is_away_is_no_wrong_token()
    {
        await using var server = await TestServer.StartAsync();
        string token = TokenOf(await PasswordAsync(server, Phone, Request))!;
        var database = (MemoryDatabase)server.Services.Database;
        database.BeforeWrite = static _ => throw Away;
        // Using it is a write: without it a replay could not be told from the first.
        Assert.Equal("temporary-auth-failure", Condition(await TokenAsync(server, token)));
        // The login is good without one.
        Assert.Null(TokenOf(await SendAsync(server, WithPassword(Phone, Request))));
        database.BeforeRead = static _ => throw Away;
        Assert.Equal("temporary-auth-failure", Condition(await TokenAsync(server, token)));
        (database.BeforeRead, database.BeforeWrite) = (null, null);
        Assert.Equal("success", (await TokenAsync(server, token)).Name);
    }

    static Muster.Server.Storage.StorageException Away => new(default, "the database is away");

    [Fact]
    public async Task The_database_alone_gives_nobody_a_token()
    {
        await using var server = await TestServer.StartAsync();
        string token = TokenOf(await PasswordAsync(server, Phone, Request))!;
        Assert.Equal("success", (await TokenAsync(server, token)).Name);
        // Another data folder has another secret: the same database knows the token no more.
        await using var other = await TestServer.StartAsync(null, server.Services.Database);
        Assert.Equal("not-authorized", Condition(await TokenAsync(other, token)));
    }

    [Fact]
    public async Task One_client_too_many_costs_the_oldest_its_token()
    {
        await using var server = await TestServer.StartAsync("""
            [[listen.c2s]]
              port = 0
              tls.mode = "none"
            [limits]
              token_clients = 1
            """);
        string phone = TokenOf(await PasswordAsync(server, Phone, Request))!;
        string tablet = TokenOf(await PasswordAsync(server, Tablet, Request))!;
        Assert.Equal("not-authorized", Condition(await TokenAsync(server, phone)));
        Assert.Equal("success", (await TokenAsync(server, tablet, Tablet)).Name);
        Assert.Contains(server.Logs.Lines, line => line.Id.Id == 2011);
    }

    [Fact]
    public async Task After_the_login_a_stanza_may_be_as_large_as_with_the_classic_one()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var client = server.Connect();
        await client.OpenAsync();
        await client.SendAsync(Authenticate("PLAIN", "\0juliet\0juliet", "<bind xmlns='urn:xmpp:bind:0'/>"));
        string jid = (await client.ReceiveAsync()).Child("authorization-identifier")!.Text;
        await client.ReceiveAsync();
        string body = new('x', 100_000);
        await client.SendAsync($"<message to='{jid}'><body>{body}</body></message>");
        Assert.Equal(body, (await client.ReceiveAsync()).Child("body")!.Text);
        // And what was too large before stays so.
        var stranger = server.Connect();
        await stranger.OpenAsync();
        await stranger.SendAsync(Authenticate("PLAIN", "\0juliet\0juliet", $"<x xmlns='urn:x'>{body}</x>"));
        await stranger.ExpectStreamErrorAsync("policy-violation");
    }

    [Fact]
    public async Task At_the_limit_of_sessions_a_client_replaces_its_own()
    {
        await using var server = await TestServer.StartAsync();
        var clients = new List<TestClient>();
        for (int i = 1; i < server.Services.Limits.SessionsPerUserMax; i++)
            clients.Add(await server.LoginAsync("juliet", $"r{i}"));
        const string Bind = "<bind xmlns='urn:xmpp:bind:0'/>";
        Assert.NotNull((await PasswordAsync(server, Phone, Bind)).Child(Namespaces.Bind2, "bound"));
        Assert.NotNull((await PasswordAsync(server, Phone, Bind)).Child(Namespaces.Bind2, "bound"));
        // Another client finds no place: it is logged in, not bound.
        var refused = await PasswordAsync(server, Tablet, Bind);
        Assert.Equal("juliet@localhost", refused.Child("authorization-identifier")!.Text);
        Assert.Null(refused.Child(Namespaces.Bind2, "bound"));
    }

    static async Task<Element> PasswordAsync(TestServer server, string agent, string requests)
    {
        await server.AddUserAsync("juliet");
        return await SendAsync(server, WithPassword(agent, requests));
    }

    static string WithPassword(string agent, string requests) =>
        Authenticate("PLAIN", "\0juliet\0juliet", $"<user-agent id='{agent}'/>{requests}");

    static Task<Element> TokenAsync(TestServer server, string token, string agent = Phone, string user = "juliet",
        string attributes = "", string bind = "") =>
        SendAsync(server, Authenticate("HT-SHA-256-NONE",
            $"{user}\0{Encoding.Latin1.GetString(HashedToken.Sha256.Prove(token, []))}",
            $"<user-agent id='{agent}'/><fast xmlns='urn:xmpp:fast:0' {attributes}/>{bind}"));

    static async Task<Element> SendAsync(TestServer server, string authenticate)
    {
        var client = server.Connect();
        await client.OpenAsync();
        await client.SendAsync(authenticate);
        return await client.ReceiveAsync();
    }

    static string Authenticate(string mechanism, string message, string children) =>
        $"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'><initial-response>" +
        $"{Convert.ToBase64String(Encoding.Latin1.GetBytes(message))}</initial-response>{children}</authenticate>";

    static string? TokenOf(Element success)
    {
        Assert.Equal("success", success.Name);
        return success.Child(Namespaces.Fast, "token")?.Attribute("token");
    }

    static string Condition(Element failure)
    {
        Assert.True(failure.Is(Namespaces.Sasl2, "failure"), failure.ToString());
        return failure.FirstElement!.Name;
    }
}
