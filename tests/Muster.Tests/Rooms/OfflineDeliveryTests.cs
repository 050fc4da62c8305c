using System.Diagnostics;
using System.Text.RegularExpressions;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Server.Rooms;
using Muster.Server.Storage.Memory;
using Muster.Testing;
using Muster.Tests.Components;
using Xunit.Abstractions;

namespace Muster.Tests.Rooms;

/// <summary>Messages of a room for members who are away (muc-offline-delivery.md), on a whole server. A component
/// stands for the server of the members, so that what reaches it can be seen.</summary>
public sealed partial class OfflineDeliveryTests(ITestOutputHelper output)
{
    const string Garden = "garden@conference.localhost";
    const string Nurse = "nurse@plays.localhost";

    static async Task<(TestServer Server, TestClient Romeo, ScriptedPeer Plays)> StartAsync(
        string more = "", MemoryDatabase? database = null)
    {
        var server = await TestServer.StartAsync(ComponentBench.Config + "\n" + more, database ?? new MemoryDatabase());
        var romeo = await server.LoginAsync("romeo");
        var plays = await ComponentBench.ConnectAsync(server);
        await romeo.CreateRoomAsync(Garden, "Romeo");
        await romeo.ConfigureAsync(Garden, ("muc#roomconfig_persistentroom", "1"));
        return (server, romeo, plays);
    }

    static string Submit(string nick = "Nurse", string? offline = "1") =>
        $"<iq type='set' from='{Nurse}/ward' to='{Garden}' id='r'><query xmlns='jabber:iq:register'>" +
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
        "<value>http://jabber.org/protocol/muc#register</value></field>" +
        $"<field var='muc#register_roomnick'><value>{nick}</value></field>" +
        (offline is null ? "" : "<field var='{http://tigase.org/protocol/muc}offline'>" +
            $"<value>{offline}</value></field>") + "</x></query></iq>";

    static async Task RegisterAsync(ScriptedPeer plays, string nick = "Nurse", string? offline = "1")
    {
        await plays.RunAsync($"> {Submit(nick, offline)}");
        await plays.RunAsync($"< <iq to='{Nurse}/ward' from='{Garden}' id='r' type='result'/>");
    }

    static Task EnterAsync(ScriptedPeer plays, string resource, string nick) => plays.RunAsync($"""
        > <presence from='{Nurse}/{resource}' to='{Garden}/{nick}'>
        > <x xmlns='http://jabber.org/protocol/muc'/></presence>
        < to='{Nurse}/{resource}'*<subject/></message>
        """);

    static Task LeaveAsync(ScriptedPeer plays, string resource, string nick) => plays.RunAsync($"""
        > <presence type='unavailable' from='{Nurse}/{resource}' to='{Garden}/{nick}'/>
        < <presence to='{Nurse}/{resource}'*type='unavailable'*</presence>
        """);

    static async Task SayAsync(TestClient client, string id, string body = "hello")
    {
        await client.SayAsync(Garden, id, body);
        await client.UntilIdAsync(id);
    }

    // What reached the component since, but for copies that went to those inside.
    static async Task<List<string>> ForwardedAsync(TestServer server, ScriptedPeer plays)
    {
        await server.SettleAsync();
        await plays.RunAsync("> <iq type='get' id='sync' from='plays.localhost' to='localhost'>" +
            "<ping xmlns='urn:xmpp:ping'/></iq>");
        string received = await plays.WaitAsync(Sync());
        return [.. Copy().Matches(received).Select(match => match.Value)];
    }

    [GeneratedRegex("(?s)^.*id='sync' type='result'/>")]
    private static partial Regex Sync();

    [GeneratedRegex("<message to='nurse@plays.localhost'.*?</message>")]
    private static partial Regex Copy();

    [Fact, Feature("OD-01", "OD-03", "OD-07")]
    public async Task WhatIsSaidReachesAMemberWhoIsAway()
    {
        var (server, romeo, plays) = await StartAsync();
        await using var _ = server;
        await EnterAsync(plays, "ward", "Nurse");
        await RegisterAsync(plays);
        await LeaveAsync(plays, "ward", "Nurse");
        await SayAsync(romeo, "m1", "where is she?");
        string copy = Assert.Single(await ForwardedAsync(server, plays));
        Assert.Matches($"^<message to='{Nurse}' from='{Garden}/Romeo' id='m1' type='groupchat'.*>" +
            "<body>where is she\\?</body>.*</message>$", copy);
        Assert.Matches($"<stanza-id [^>]*by='{Garden}'", copy);
        Assert.Contains("<occupant-id ", copy, StringComparison.Ordinal);
        Assert.DoesNotContain("<delay", copy, StringComparison.Ordinal);
        Assert.DoesNotContain("romeo@localhost", copy, StringComparison.Ordinal);
        string page = server.Host.Metrics.ToPrometheus();
        Assert.Contains("muc_offline_forwarded_total{host_type=\"localhost\"} 1", page, StringComparison.Ordinal);
    }

    [Fact, Feature("OD-07")]
    public async Task WhatIsNotWorthKeepingIsNotForwarded()
    {
        var (server, romeo, plays) = await StartAsync();
        await using var _ = server;
        await RegisterAsync(plays);
        await romeo.SendAsync($"""
            <message type='groupchat' to='{Garden}' id='a'>
            <composing xmlns='http://jabber.org/protocol/chatstates'/></message>
            <message type='groupchat' to='{Garden}' id='b'><subject>roses</subject></message>
            <message type='groupchat' to='{Garden}' id='c'><body>off</body><no-store xmlns='urn:xmpp:hints'/></message>
            """);
        await romeo.UntilIdAsync("c");
        Assert.Empty(await ForwardedAsync(server, plays));
        // Encrypted, without a body.
        await romeo.SendAsync($"<message type='groupchat' to='{Garden}' id='d'>" +
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted></message>");
        await romeo.UntilIdAsync("d");
        Assert.Contains("<encrypted", Assert.Single(await ForwardedAsync(server, plays)), StringComparison.Ordinal);
        // Of one who may not speak.
        await romeo.ConfigureAsync(Garden, ("muc#roomconfig_moderatedroom", "1"));
        await romeo.ConfigureAsync(Garden, ("members_by_default", "0"));
        var tybalt = await server.LoginAsync("tybalt");
        await tybalt.EnterAsync(Garden, "Tybalt");
        await romeo.SendAsync($"<iq type='set' id='visitor' to='{Garden}'><query " +
            "xmlns='http://jabber.org/protocol/muc#admin'><item nick='Tybalt' role='visitor'/></query></iq>");
        await romeo.UntilIdAsync("visitor");
        await tybalt.SayAsync(Garden, "e", "peace");
        Assert.Equal("error", (await tybalt.UntilIdAsync("e")).Attribute("type"));
        Assert.Empty(await ForwardedAsync(server, plays));
    }

    [Fact, Feature("OD-08")]
    public async Task ANoAndARemovalStopIt()
    {
        var (server, romeo, plays) = await StartAsync();
        await using var _ = server;
        await RegisterAsync(plays);
        await SayAsync(romeo, "m1");
        Assert.Single(await ForwardedAsync(server, plays));
        await RegisterAsync(plays, offline: "0"); // the same nick
        await SayAsync(romeo, "m2");
        Assert.Empty(await ForwardedAsync(server, plays));
        await RegisterAsync(plays, offline: "true");
        await RegisterAsync(plays, "Angelica", offline: null); // what is not named stays
        await SayAsync(romeo, "m3");
        Assert.Single(await ForwardedAsync(server, plays));
        await plays.RunAsync($"""
            > <iq type='set' from='{Nurse}/ward' to='{Garden}' id='x'>
            > <query xmlns='jabber:iq:register'><remove/></query></iq>
            < id='x' type='result'
            > <iq type='get' from='{Nurse}/ward' to='{Garden}' id='g'><query xmlns='jabber:iq:register'/></iq>
            """);
        string form = await plays.WaitAsync(new Regex("<iq [^>]*id='g'.*?</iq>"));
        Assert.DoesNotContain("<registered", form, StringComparison.Ordinal);
        await SayAsync(romeo, "m4");
        Assert.Empty(await ForwardedAsync(server, plays));
    }

    [Fact, Feature("OD-09")]
    public async Task NothingIsSentWhileAnyDeviceIsInsideUnderWhateverNick()
    {
        var (server, romeo, plays) = await StartAsync();
        await using var _ = server;
        await RegisterAsync(plays);
        await EnterAsync(plays, "phone", "Angelica");
        await SayAsync(romeo, "m1");
        Assert.Empty(await ForwardedAsync(server, plays));
        await EnterAsync(plays, "ward", "Nurse");
        await LeaveAsync(plays, "phone", "Angelica");
        await SayAsync(romeo, "m2");
        Assert.Empty(await ForwardedAsync(server, plays));
        await LeaveAsync(plays, "ward", "Nurse");
        await SayAsync(romeo, "m3");
        Assert.Single(await ForwardedAsync(server, plays));
        // Somebody else under the registered nick changes nothing.
        await plays.RunAsync($"> {Submit("Romeo")}");
        await plays.RunAsync("< id='r' type='error'><error*<conflict");
    }

    [Fact, Feature("OD-02")]
    public async Task ItIsOnForOneRoomServiceAndOffForAnother()
    {
        await using var server = await TestServer.StartAsync("""
            [general]
            hosts = ["localhost", "example.org"]
            [[host_config]]
            host = "example.org"
            modules.mod_muc_offline_delivery.enabled = false
            """ + "\n" + ComponentBench.Config);
        var romeo = await server.LoginAsync("romeo");
        foreach (var (service, isOn) in new[] { ("conference.localhost", true), ("conference.example.org", false) })
        {
            string room = $"garden@{service}";
            await romeo.CreateRoomAsync(room, "Romeo");
            string form = (await romeo.RequestAsync("get", room, "<query xmlns='jabber:iq:register'/>")).ToString();
            Assert.Equal(isOn, form.Contains("{http://tigase.org/protocol/muc}offline", StringComparison.Ordinal));
            Assert.Contains("muc#register_roomnick", form, StringComparison.Ordinal);
            foreach (string asked in (string[])[room, service])
            {
                string info = (await romeo.RequestAsync("get", asked,
                    "<query xmlns='http://jabber.org/protocol/disco#info'/>")).ToString();
                Assert.Equal(isOn, info.Contains("http://tigase.org/protocol/muc#offline", StringComparison.Ordinal));
                Assert.Contains("'jabber:iq:register'", info, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task AModeratedRoomDoesNotOfferItWhereTheServiceSaysSo()
    {
        var (server, romeo, plays) = await StartAsync("""
            [modules.mod_muc_offline_delivery]
            muc_offline_delivery_unmoderated_only = true
            muc_offline_delivery_default = true
            """);
        await using var _ = server;
        await romeo.ConfigureAsync(Garden, ("muc#roomconfig_moderatedroom", "0"));
        await RegisterAsync(plays, offline: null);
        await SayAsync(romeo, "m1");
        Assert.Single(await ForwardedAsync(server, plays));
        await romeo.ConfigureAsync(Garden, ("muc#roomconfig_moderatedroom", "1"));
        await SayAsync(romeo, "m2");
        Assert.Empty(await ForwardedAsync(server, plays));
    }

    [Fact]
    public async Task TheWishIsKeptOverARestartAndWhileTheRoomSleeps()
    {
        var database = new MemoryDatabase();
        var (server, romeo, plays) = await StartAsync(database: database);
        await RegisterAsync(plays);
        await romeo.LeaveAsync(Garden, "Romeo");
        await server.Services.Rooms["conference.localhost"].Hibernate(Jid.Parse(Garden));
        await server.SettleAsync();
        Assert.Empty(server.Services.Rooms["conference.localhost"].Live);
        await romeo.EnterAsync(Garden, "Romeo");
        await SayAsync(romeo, "m1");
        Assert.Single(await ForwardedAsync(server, plays));
        await server.DisposeAsync();

        await using var again = await TestServer.StartAsync(ComponentBench.Config, database);
        var juliet = await again.LoginAsync("juliet");
        plays = await ComponentBench.ConnectAsync(again);
        await juliet.EnterAsync(Garden, "Juliet");
        await SayAsync(juliet, "m2");
        Assert.Single(await ForwardedAsync(again, plays));
    }

    [Fact]
    public async Task WhatStillWaitsWhenTheServerStopsIsSentByTheNextOne()
    {
        const string Slow = "[limits]\noffline_forward_rate = 1\n[modules.mod_ping]\nsend_pings = false\n";
        var database = new MemoryDatabase();
        var (server, romeo, plays) = await StartAsync(Slow, database);
        await RegisterAsync(plays);
        for (int i = 0; i < 5; i++) await romeo.SayAsync(Garden, $"n{i}", "go");
        await romeo.UntilIdAsync("n4");
        int before = (await ForwardedAsync(server, plays)).Count;
        Assert.InRange(before, 1, 2);
        await server.DisposeAsync();

        await using var again = await TestServer.StartAsync(ComponentBench.Config + "\n" + Slow, database);
        plays = await ComponentBench.ConnectAsync(again);
        Assert.Empty(await ForwardedAsync(again, plays));
        var copies = new List<string>();
        for (int i = 0; i < 20; i++)
        {
            await again.AdvanceAsync(TimeSpan.FromSeconds(1));
            copies.AddRange(await ForwardedAsync(again, plays));
        }
        Assert.Equal(Enumerable.Range(before, 5 - before).Select(i => $"n{i}"),
            copies.Select(copy => copy.Split("id='")[1].Split('\'')[0]));
        Assert.All(copies, copy => Assert.Contains("<delay ", copy, StringComparison.Ordinal));
        Assert.Null(await database.Sessions.TakeOccupants(Jid.Parse("conference.localhost")));
    }

    [Fact]
    public async Task AHundredMessagesComeInTheirOrder()
    {
        var (server, romeo, plays) = await StartAsync("[limits]\noffline_forward_rate = 30\n");
        await using var _ = server;
        await RegisterAsync(plays);
        for (int i = 0; i < 100; i++) await romeo.SayAsync(Garden, $"n{i}", "go");
        await romeo.UntilIdAsync("n99");
        for (int i = 0; i < 5; i++) await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"n{i}"),
            (await ForwardedAsync(server, plays)).Select(copy => copy.Split("id='")[1].Split('\'')[0]));
    }

    [Fact]
    public async Task WhatComesBackFromABareAddressThrowsNobodyOut()
    {
        var (server, romeo, plays) = await StartAsync();
        await using var _ = server;
        await RegisterAsync(plays);
        string[] conditions = ["service-unavailable", "gone", "item-not-found", "recipient-unavailable"];
        foreach (string condition in conditions)
        {
            await SayAsync(romeo, condition);
            await ForwardedAsync(server, plays);
            // At the moment at which the bounce arrives she is inside.
            await EnterAsync(plays, "ward", "Nurse");
            await plays.RunAsync($"> <message type='error' from='{Nurse}' to='{Garden}/Romeo' id='{condition}'>" +
                $"<error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
            await SayAsync(romeo, "after");
            await plays.RunAsync($"< <message to='{Nurse}/ward'*id='after'");
            await LeaveAsync(plays, "ward", "Nurse");
        }
        var state = await server.Services.Rooms["conference.localhost"].Look(Jid.Parse(Garden),
            room => room!.Snapshot().Affiliations.Single(entry => entry.User == Jid.Parse(Nurse)).OfflineDelivery);
        Assert.True(state);
    }

    [Fact]
    public async Task WhoRefusesAgainAndAgainGetsNothingAnyMoreAndStaysAMember()
    {
        var (server, romeo, plays) = await StartAsync();
        await using var _ = server;
        await RegisterAsync(plays);
        for (int i = 0; i < 12; i++)
        {
            await SayAsync(romeo, $"m{i}");
            bool isSent = (await ForwardedAsync(server, plays)).Count == 1;
            Assert.Equal(i < 10, isSent);
            if (!isSent) continue;
            await plays.RunAsync($"> <message type='error' from='{Nurse}' to='{Garden}/Romeo' id='m{i}'>" +
                "<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
            await ForwardedAsync(server, plays);
        }
        Assert.Contains(server.Logs.Lines, line => line.Text.Contains("nothing is sent to " + Nurse,
            StringComparison.Ordinal));
        await plays.RunAsync($"""
            > <iq type='get' from='{Nurse}/ward' to='{Garden}' id='g'><query xmlns='jabber:iq:register'/></iq>
            < id='g'*<username>Nurse</username>*offline'*<value>0</value>
            """);
    }

    [Fact]
    public async Task ADomainThatIsAwayGetsOneMessageWhenItIsBack()
    {
        var (server, romeo, plays) = await StartAsync("[modules.mod_ping]\nsend_pings = false\n");
        await using var _ = server;
        await RegisterAsync(plays);
        await plays.RunAsync("! reset");
        var route = Assert.Single(server.Services.Components.All);
        await Patience.Eventually(() => route.Link is null);
        for (int i = 0; i < 5; i++) await SayAsync(romeo, $"m{i}");
        await server.SettleAsync();
        plays = await ComponentBench.ConnectAsync(server);
        Assert.Empty(await ForwardedAsync(server, plays));
        await server.AdvanceAsync(TimeSpan.FromMinutes(6));
        await server.SettleAsync();
        string copy = Assert.Single(await ForwardedAsync(server, plays));
        Assert.Contains(" id='m4'", copy, StringComparison.Ordinal);
        Assert.Contains($"<delay xmlns='urn:xmpp:delay' from='{Garden}'", copy, StringComparison.Ordinal);
        await SayAsync(romeo, "live");
        Assert.DoesNotContain("<delay", Assert.Single(await ForwardedAsync(server, plays)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatAGhostMissedIsSentToItsAccountOnce()
    {
        var (server, romeo, plays) = await StartAsync();
        await using var _ = server;
        await EnterAsync(plays, "ward", "Nurse");
        await RegisterAsync(plays);
        await SayAsync(romeo, "m1", "one");
        await SayAsync(romeo, "m2", "two");
        await plays.RunAsync($"> <message type='error' from='{Nurse}/ward' to='{Garden}/Romeo' id='m1'>" +
            "<error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>" +
            "</message>");
        await romeo.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Garden}/Nurse' to='*' id='**'>...</presence>");
        await SayAsync(romeo, "m3", "three");
        var copies = await ForwardedAsync(server, plays);
        Assert.Equal(["m1", "m2", "m3"], copies.Select(copy => copy.Split("id='")[1].Split('\'')[0]));
        Assert.Equal([true, true, false], copies.Select(copy => copy.Contains("<delay", StringComparison.Ordinal)));
    }

    [Theory, Feature("OD-10")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TheOwnServerTakesItForNoSession(bool isStored)
    {
        await using var server = await TestServer.StartAsync($"""
            {ComponentBench.Config}
            [modules.mod_offline]
            muc_offline_store = {(isStored ? "true" : "false")}
            """);
        var juliet = await server.LoginAsync("juliet");
        await juliet.SendAsync("<presence/>");
        await juliet.ExpectEventuallyAsync("<presence from='juliet@localhost/test' to='**'>...</presence>");
        var plays = await ComponentBench.ConnectAsync(server);
        await plays.RunAsync("> <message type='groupchat' from='hall@plays.localhost/Romeo' to='juliet@localhost' " +
            "id='m1'><body>hello</body></message>");
        await plays.RunAsync("> <message type='groupchat' from='hall@plays.localhost/Romeo' to='nobody@localhost' " +
            "id='m2'><body>hello</body></message>");
        await plays.RunAsync("< id='m2' type='error'><error type='cancel'><service-unavailable");
        await juliet.ExpectNothingAsync();
        if (!isStored)
        {
            await plays.RunAsync("> <message type='groupchat' from='hall@plays.localhost/Romeo' " +
                "to='juliet@localhost' id='m3'><body>hello</body></message>");
            await plays.RunAsync("< id='m3' type='error'><error type='cancel'><service-unavailable");
            return;
        }
        await juliet.CloseAsync();
        var again = await server.LoginAsync("juliet");
        await again.SendAsync("<presence/>");
        await again.ExpectEventuallyAsync("<message type='groupchat' from='hall@plays.localhost/Romeo' " +
            "to='juliet@localhost' id='m1'>...<body>hello</body></message>");
    }

    [Fact, Feature("OD-10")]
    public async Task TheOwnServerTellsTheDevicesOfTheAccount()
    {
        await using var server = await TestServer.StartAsync($"{ComponentBench.Config}\n[modules.mod_cloud_notify]");
        var app = await PushApp.StartAsync(server);
        var juliet = await server.LoginAsync("juliet");
        await juliet.EnablePushAsync(app.Address, "phone");
        var plays = await ComponentBench.ConnectAsync(server);
        await plays.RunAsync("> <message type='groupchat' from='hall@plays.localhost/Romeo' to='juliet@localhost' " +
            "id='m1'><body>hello</body></message>");
        Assert.Equal("phone", (await app.TakeAsync()).Node);
        await juliet.ExpectNothingAsync();
        await plays.RunAsync("> <message type='groupchat' from='hall@plays.localhost/Romeo' to='nobody@localhost' " +
            "id='m2'><body>hello</body></message>");
        await plays.RunAsync("< id='m2' type='error'><error type='cancel'><service-unavailable");
    }

    [Fact]
    public async Task WhoBlocksARoomHearsNothingAndTheRoomNeither()
    {
        await using var server = await TestServer.StartAsync(ComponentBench.Config);
        var juliet = await server.LoginAsync("juliet");
        await juliet.AskAsync("<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='hall@plays.localhost'/>" +
            "</block></iq>");
        var plays = await ComponentBench.ConnectAsync(server);
        await plays.RunAsync("> <message type='groupchat' from='hall@plays.localhost/Romeo' to='juliet@localhost' " +
            "id='m1'><body>hello</body></message>");
        await plays.RunAsync("> <iq type='get' id='sync' from='plays.localhost' to='localhost'>" +
            "<ping xmlns='urn:xmpp:ping'/></iq>");
        string received = await plays.WaitAsync(Sync());
        Assert.DoesNotContain("m1", received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TenThousandMembersWhoAreAwayDelayNobodyInside()
    {
        const int Count = 10_000;
        var database = new MemoryDatabase();
        var snapshot = new RoomSnapshot
        {
            Address = Jid.Parse(Garden),
            Options = new RoomOptions { Persistent = true },
            Secret = [.. new byte[Room.SecretBytes]],
            CreatedAt = DateTimeOffset.UnixEpoch,
            Affiliations = [.. Enumerable.Range(0, Count).Select(i =>
                new AffiliationEntry(Jid.Parse($"u{i}@localhost"), Affiliation.Member)
                {
                    OfflineDelivery = true,
                })],
        };
        await database.Rooms.Commit([RoomRecords.ToCommit(snapshot.Address,
            [new RoomEffect.Persist(new RoomChange.Created(snapshot))], Protocol.Stanzas.SharedStanza.From,
            DateTimeOffset.UnixEpoch, TimeSpan.Zero)!]);
        await using var server = await TestServer.StartAsync($"""
            {ComponentBench.Config}
            [limits]
            room_affiliations = 20_000
            [modules.mod_muc_offline_delivery]
            muc_offline_delivery_max_targets = {Count}
            """, database);
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await romeo.EnterAsync(Garden, "Romeo");
        await juliet.EnterAsync(Garden, "Juliet");
        var watch = Stopwatch.StartNew();
        var slowest = TimeSpan.Zero;
        for (int i = 0; i < 20; i++)
        {
            var start = watch.Elapsed;
            await romeo.SayAsync(Garden, $"m{i}", "hello");
            await juliet.UntilIdAsync($"m{i}");
            if (watch.Elapsed - start > slowest) slowest = watch.Elapsed - start;
        }
        var live = watch.Elapsed;
        await server.SettleAsync();
        output.WriteLine($"20 messages: live in {live.TotalMilliseconds:F0} ms, the slowest " +
            $"{slowest.TotalMilliseconds:F0} ms; {20 * Count} copies in {watch.ElapsedMilliseconds} ms");
        Assert.True(slowest < TimeSpan.FromSeconds(2), $"a message took {slowest}");
        string page = server.Host.Metrics.ToPrometheus();
        Assert.Contains($"muc_offline_forwarded_total{{host_type=\"localhost\"}} {20 * Count}\n", page,
            StringComparison.Ordinal);
    }
}
