using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Features;

/// <summary>XEP-0050, with the commands of XEP-0401.</summary>
[Spec("XEP-0050", "impl")]
[Spec("XEP-0401", "account-creation")]
public class AdHocCommandTests
{
    const string Ns = "http://jabber.org/protocol/commands";

    const string Config = """
        [acl]
        admin = [{ user = "admin" }]
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        """;

    static string Command(string node, string attributes = "", string content = "", string to = "localhost") =>
        $"<iq type='set' to='{to}'><command xmlns='{Ns}' node='{node}' {attributes}>{content}</command></iq>";

    static string Submit(params (string Var, string Value)[] fields) => new DataForm(DataFormType.Submit, null,
        fields.Select(field => FormField.Submitted(field.Var, field.Value))).ToElement().ToString();

    [Fact]
    public async Task Everybody_sees_the_commands_for_everybody_and_admins_see_theirs()
    {
        await using var server = await TestServer.StartAsync(Config);
        var romeo = await server.LoginAsync("romeo");
        var admin = await server.LoginAsync("admin");
        async Task<IEnumerable<string?>> ListAsync(TestClient client)
        {
            var answer = await client.AskAsync(
                $"<iq type='get' to='localhost'><query xmlns='{Namespaces.DiscoItems}' node='{Ns}'/></iq>");
            return DiscoItems.Read(answer.FirstElement!).Items.Select(item => item.Node);
        }
        const string ForAll = "urn:muster:rooms#autorejoin";
        const string Privacy = "urn:xmpp:push:0#privacy";
        Assert.Equal([ForAll, "urn:xmpp:invite#invite", Privacy], await ListAsync(romeo));
        Assert.Equal([ForAll, "urn:xmpp:invite#create-account", "urn:xmpp:invite#invite", Privacy],
            await ListAsync(admin));
        var info = await romeo.AskAsync(
            $"<iq type='get' to='localhost'><query xmlns='{Namespaces.DiscoInfo}' " +
                $"node='urn:xmpp:invite#invite'/></iq>");
        Assert.Contains(DiscoInfo.Read(info.FirstElement!, out _)!.Identities,
            identity => identity is { Category: "automation", Type: "command-node" });
        Assert.Equal("item-not-found", (await romeo.AskAsync($"<iq type='get' to='localhost'><query " +
            $"xmlns='{Namespaces.DiscoInfo}' node='urn:xmpp:invite#create-account'/></iq>")).ErrorCondition());
    }

    [Theory]
    [InlineData("no:such", "", "item-not-found", null)]
    [InlineData("", "", "item-not-found", null)]
    [InlineData("urn:xmpp:invite#create-account", "", "forbidden", null)]
    [InlineData("urn:xmpp:invite#invite", "action='prev'", "bad-request", "bad-action")]
    [InlineData("urn:xmpp:invite#invite", "action='nonsense'", "bad-request", "bad-action")]
    public async Task Wrong_commands(string node, string attributes, string condition, string? specific)
    {
        await using var server = await TestServer.StartAsync(Config);
        var romeo = await server.LoginAsync("romeo");
        var answer = await romeo.AskAsync(Command(node, attributes));
        Assert.Equal(condition, answer.ErrorCondition());
        if (specific is not null) Assert.NotNull(answer.Child("error")!.Child(Ns, specific));
    }

    [Fact]
    public async Task An_admin_invites_somebody_to_make_an_account_of_a_name()
    {
        await using var server = await TestServer.StartAsync(Config);
        var admin = await server.LoginAsync("admin");
        const string Node = "urn:xmpp:invite#create-account";

        var asked = (await admin.AskAsync(Command(Node, "action='execute'"))).FirstElement!;
        Assert.Equal("executing", asked.Attribute("status"));
        Assert.Equal("complete", asked.Child("actions")!.Attribute("execute"));
        var form = DataForm.Read(asked.Child(Namespaces.DataForms, "x")!, out _)!;
        Assert.Equal(["username", "roster-subscription"], form.Fields.Select(field => field.Var));
        string session = $"sessionid='{asked.Attribute("sessionid")}'";

        Assert.Equal("canceled",
            (await admin.AskAsync(Command(Node, $"{session} action='cancel'"))).FirstElement!.Attribute("status"));
        Assert.Equal("jid-malformed",
            (await admin.AskAsync(Command(Node, session, Submit(("username", "a b"))))).ErrorCondition());
        Assert.Equal("conflict",
            (await admin.AskAsync(Command(Node, session, Submit(("username", "admin"))))).ErrorCondition());
        Assert.Equal("bad-request", (await admin.AskAsync(
            Command(Node, session, Submit(("username", "x"), ("roster-subscription", "maybe"))))).ErrorCondition());
        var done = (await admin.AskAsync(Command(Node, session,
            Submit(("username", "Juliet"), ("roster-subscription", "0"))))).FirstElement!;
        Assert.Equal("completed", done.Attribute("status"));
        Assert.Equal(asked.Attribute("sessionid"), done.Attribute("sessionid"));
        Assert.StartsWith("xmpp:juliet@localhost?register;preauth=",
            DataForm.Read(done.Child(Namespaces.DataForms, "x")!, out _)!.Value("uri"), StringComparison.Ordinal);
        // The name is promised now.
        Assert.Equal("conflict",
            (await admin.AskAsync(Command(Node, session, Submit(("username", "juliet"))))).ErrorCondition());
        var any = (await admin.AskAsync(Command(Node, session, Submit()))).FirstElement!;
        Assert.StartsWith("xmpp:localhost?register;preauth=",
            DataForm.Read(any.Child(Namespaces.DataForms, "x")!, out _)!.Value("uri"), StringComparison.Ordinal);
    }
}
