using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>What is far too much, and what is broken on disk, through the whole server.</summary>
public sealed class RoomBadInputTests
{
    const string Room = "garden@conference.localhost";
    const string Subject = "<message from='*' to='*' id='**' type='groupchat'><subject/></message>";

    static string Config(int stanzaBytes) => $"""
        [[listen.c2s]]
          port = 0
          tls.mode = "none"
          max_stanza_size = {stanzaBytes}
        [limits]
          room_affiliations = 10_001
        """;

    [Fact, Spec("XEP-0045", "subject-mod")]
    public async Task ASubjectOfAMegabyteIsRefusedAndTheOldOneStays()
    {
        await using var server = await TestServer.StartAsync(Config(2_000_000));
        var romeo = await server.LoginAsync("romeo");
        await Enter(romeo, "Romeo");
        await romeo.ExpectEventuallyAsync(Subject);
        await romeo.AskAsync($"<iq type='set' to='{Room}'><query xmlns='{Namespaces.MucOwner}'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        await romeo.SendAsync($"<message type='groupchat' to='{Room}' id='s1'><subject>Roses</subject></message>" +
            $"<message type='groupchat' to='{Room}' id='s2'><subject>{new string('x', 1_000_000)}</subject></message>");
        await romeo.ExpectEventuallyAsync(
            $"<message from='{Room}/Romeo' to='*' id='s1' type='groupchat'>...</message>");
        var refused = await romeo.ExpectAsync($"<message from='{Room}' to='*' id='s2' type='error'>...</message>");
        Assert.NotNull(refused.Child("error")!.Child(Namespaces.StanzaErrors, "policy-violation"));
        var juliet = await server.LoginAsync("juliet");
        await Enter(juliet, "Juliet");
        await juliet.ExpectEventuallyAsync("<message from='*' to='*' id='**' type='groupchat'>" +
            "<subject>Roses</subject><delay xmlns='urn:xmpp:delay' from='*' stamp='*'/></message>");
    }

    [Fact]
    public async Task OneThatIsLargerThanTheListenerTakesEndsTheStreamOfItsSenderAlone()
    {
        await using var server = await TestServer.StartAsync(Config(262_144));
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Enter(juliet, "Juliet");
        await juliet.ExpectEventuallyAsync(Subject);
        await juliet.AskAsync($"<iq type='set' to='{Room}'><query xmlns='{Namespaces.MucOwner}'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        await Enter(romeo, "Romeo");
        await romeo.ExpectEventuallyAsync(Subject);
        await romeo.SendAsync(
            $"<message type='groupchat' to='{Room}'><subject>{new string('x', 1_000_000)}</subject></message>");
        await juliet.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Room}/Romeo' to='*'>...</presence>");
    }

    [Fact, Feature("MU-56")]
    public async Task ARoomOfTenThousandAffiliationsWakesIsListedAndTakesOneMoreButNotTwo()
    {
        var database = new MemoryDatabase();
        await database.Rooms.Commit([Stored("{}") with
        {
            AffiliationsSet =
            [
                Entry("romeo@localhost", Affiliation.Owner),
                .. Enumerable.Range(1, 9_999).Select(i => Entry(
                    string.Create(CultureInfo.InvariantCulture, $"user{i:0000}@localhost"), Affiliation.Member)),
            ],
        }]);
        await using var server = await TestServer.StartAsync(Config(262_144), database);
        var romeo = await server.LoginAsync("romeo");
        await Enter(romeo, "Romeo");
        await romeo.ExpectEventuallyAsync(Subject);
        var seen = new HashSet<string>();
        string after = "";
        for (int page = 0; page < 20; page++)
        {
            var answer = await Ask(romeo, $"<item affiliation='member'/><set xmlns='{Namespaces.ResultSets}'>" +
                $"<max>1000</max>{after}</set>");
            var query = answer.FirstElement!;
            seen.UnionWith(query.Children(Namespaces.MucAdmin, "item").Select(item => item.Attribute("jid")!));
            after = $"<after>{ResultSetPage.Read(query.Child(Namespaces.ResultSets, "set")!).Last}</after>";
        }
        Assert.Equal(9_999, seen.Count);
        // The limit of the server is 10,001: one more finds its place.
        foreach (var (user, isTaken) in ((string, bool)[])[("paris", true), ("tybalt", false)])
        {
            await romeo.SendAsync($"<iq type='set' to='{Room}' id='{user}'><query xmlns='{Namespaces.MucAdmin}'>" +
                $"<item affiliation='outcast' jid='{user}@localhost'/></query></iq>");
            var answer = await romeo.ExpectEventuallyAsync(
                $"<iq type='{(isTaken ? "result" : "error")}' from='*' to='*' id='{user}'>...</iq>");
            Assert.Equal(isTaken, answer.Child("error") is null);
            if (!isTaken)
                Assert.NotNull(answer.Child("error")!.Child(Namespaces.StanzaErrors, "resource-constraint"));
        }
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"title\": 1}")]
    [InlineData("{\"title\": [1]}")]
    [InlineData("")]
    public async Task ARoomThatIsBrokenOnDiskLetsNobodyInAndIsNotReplaced(string json)
    {
        var database = new MemoryDatabase();
        await database.Rooms.Commit([Stored(json)]);
        await using var server = await TestServer.StartAsync(Config(262_144), database);
        var romeo = await server.LoginAsync("romeo");
        await Enter(romeo, "Romeo");
        var refused = await romeo.ExpectEventuallyAsync(
            $"<presence type='error' from='{Room}/Romeo' to='*' id='**'>...</presence>");
        Assert.NotNull(refused.Child("error")!.Child(Namespaces.StanzaErrors, "service-unavailable"));
        var info = await romeo.AskAsync(
            $"<iq type='get' to='{Room}'><query xmlns='{Namespaces.DiscoInfo}'/></iq>");
        Assert.NotNull(info.Child("error")!.Child(Namespaces.StanzaErrors, "service-unavailable"));
        Assert.Equal(json, (await database.Rooms.Load(Jid.Parse(Room)))!.Options.Json);
    }

    [Fact]
    public async Task ARequestThatIsBrokenOnDiskIsForgottenAndTheRoomIsNot()
    {
        var database = new MemoryDatabase();
        await database.Rooms.Commit([Stored("{}") with
        {
            AffiliationsSet =
            [
                Entry("romeo@localhost", Affiliation.Owner),
                Entry("paris@localhost", Affiliation.None) with { Registration = "{broken" },
            ],
        }]);
        await using var server = await TestServer.StartAsync(Config(262_144), database);
        var romeo = await server.LoginAsync("romeo");
        await Enter(romeo, "Romeo");
        await romeo.ExpectEventuallyAsync(Subject);
        await romeo.ExpectNothingAsync();
    }

    [Fact, Spec("XEP-0045", "regapprove")]
    public async Task ARequestWaitsWhileTheServerIsDown()
    {
        var database = new MemoryDatabase();
        await database.Rooms.Commit([Stored("""{"registration_approval": ["1"], "members_only": ["1"]}""") with
        {
            AffiliationsSet = [Entry("romeo@localhost", Affiliation.Owner)],
        }]);
        await using (var server = await TestServer.StartAsync(Config(262_144), database))
        {
            var paris = await server.LoginAsync("paris");
            var answer = await paris.AskAsync($"<iq type='set' to='{Room}'><query xmlns='{Namespaces.Register}'>" +
                "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
                "<value>http://jabber.org/protocol/muc#register</value></field>" +
                "<field var='muc#register_roomnick'><value>Paris</value></field>" +
                "<field var='muc#register_first'><value>Count</value></field></x></query></iq>");
            Assert.Equal("result", answer.Attribute("type"));
        }
        await using var again = await TestServer.StartAsync(Config(262_144), database);
        var romeo = await again.LoginAsync("romeo");
        await Enter(romeo, "Romeo");
        await romeo.ExpectEventuallyAsync(Subject);
        var question = await romeo.ExpectAsync($"<message from='{Room}' to='*' id='**'>...</message>");
        var form = DataForm.Read(question.Child(Namespaces.DataForms, "x")!, out _)!;
        Assert.Equal(("paris@localhost", "Paris", "Count"),
            (form.Value("muc#jid"), form.Value("muc#register_roomnick"), form.Value("muc#register_first")));
    }

    static RoomCommit Stored(string json) => new()
    {
        Room = Jid.Parse(Room),
        Creation = new(new byte[32], DateTimeOffset.UnixEpoch),
        Options = new(json, "", true, true),
    };

    static StoredAffiliation Entry(string user, Affiliation affiliation) =>
        new() { Jid = Jid.Parse(user), Affiliation = (int)affiliation };

    static Task<Element> Ask(TestClient client, string items) => client.AskAsync(
        $"<iq type='get' to='{Room}'><query xmlns='{Namespaces.MucAdmin}'>{items}</query></iq>");

    static Task Enter(TestClient client, string nick) =>
        client.SendAsync($"<presence to='{Room}/{nick}'><x xmlns='{Namespaces.Muc}'/></presence>");
}
