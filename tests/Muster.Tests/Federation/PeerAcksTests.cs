using Muster.Server.Routing;
using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>Stream management between servers (stream-management.md §9): nothing is lost without somebody
/// knowing.</summary>
public sealed class PeerAcksTests : IAsyncLifetime
{
    const string Ns = "urn:xmpp:sm:3";

    readonly PeerWorld _world = new();
    readonly List<PeerStreamEnded> _ended = [];
    readonly TaskCompletionSource _anyEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    TestServer _verona = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _verona.DisposeAsync().AsTask();

    async Task<TestClient> StartAsync(string config = "")
    {
        _verona = await _world.ServeAsync("verona.test", $"""
            [s2s]
              use_starttls = "optional"
            [modules.mod_s2s_keepalive]
              enabled = false
            {config}
            """);
        _verona.Services.Peers.StreamEnded += end =>
        {
            lock (_ended) _ended.Add(end);
            _anyEnded.TrySetResult();
        };
        return await _verona.LoginAsync("romeo@verona.test");
    }

    static readonly string WelcomeManaged = PeerWorld.WelcomeWith($"<sm xmlns='{Ns}'/>");

    /// <summary>The server of mantua.test up to the enabled stream management.</summary>
    static Task AcceptAsync(ScriptedPeer peer, string enabled = $"<enabled xmlns='{Ns}' id='tok' resume='true'/>") =>
        peer.RunAsync($"""
            {WelcomeManaged}
            < <enable xmlns='{Ns}' resume='true'/>
            > {enabled}
            """);

    // Whatever was said before this has been read.
    const string Settled = $"> <r xmlns='{Ns}'/>\n< <a xmlns='{Ns}' ";

    static Task WriteAsync(TestClient romeo, string id) =>
        romeo.SendAsync($"<message to='juliet@mantua.test' id='{id}'><body>hello</body></message>");

    static Task ExpectTimeoutAsync(TestClient romeo, string id) =>
        romeo.ExpectAsync($"<message type='error' from='juliet@mantua.test' to='romeo@verona.test/test' id='{id}'>" +
            "<error type='wait' by='verona.test'>" +
            "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*</text></error></message>");

    [Fact]
    [Feature("SM-16")]
    [Spec("XEP-0198", "5")]
    public async Task ABrokenStreamIsResumedAndWhatWasMissedComesAgain()
    {
        var romeo = await StartAsync();
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var first = await peers.ReadAsync();
        await AcceptAsync(first);
        await first.RunAsync($"< id='m1'*<r xmlns='{Ns}'/>\n> <a xmlns='{Ns}' h='1'/>");
        await WriteAsync(romeo, "m2");
        await first.RunAsync($"< id='m2'\n{Settled}\n! reset");
        var second = await peers.ReadAsync();
        await second.RunAsync($"""
            {WelcomeManaged}
            < <resume xmlns='{Ns}' h='0' previd='tok'/>
            > <resumed xmlns='{Ns}' h='1' previd='tok'/>
            < id='m2'
            """);
        Assert.DoesNotContain("id='m1'", second.Rest, StringComparison.Ordinal);
        await WriteAsync(romeo, "m3");
        await second.RunAsync("< id='m3'");
        await romeo.ExpectNothingAsync();
        lock (_ended) Assert.Empty(Assert.Single(_ended).Bounced);
    }

    [Fact]
    public async Task WhileTheOtherServerIsAwayWhatIsSentWaitsForIt()
    {
        var romeo = await StartAsync();
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var first = await peers.ReadAsync();
        await AcceptAsync(first);
        await first.RunAsync($"< id='m1'\n{Settled}");
        _world.Forget("mantua.test");
        await first.RunAsync("! reset");
        await _anyEnded.Task.WaitAsync(TestClient.Patience);
        await WriteAsync(romeo, "m2");
        await romeo.ExpectNothingAsync();
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(20));
        await romeo.ExpectNothingAsync();
        peers = _world.Script("mantua.test");
        var second = await peers.ReadAsync(() => _verona.AdvanceAsync(TimeSpan.FromSeconds(20)));
        await second.RunAsync($"""
            {WelcomeManaged}
            < <resume xmlns='{Ns}' h='0' previd='tok'/>
            > <resumed xmlns='{Ns}' h='0' previd='tok'/>
            < id='m1'
            < id='m2'
            """);
    }

    [Fact]
    public async Task WhenItStaysAwayTheSendersLearnIt()
    {
        var romeo = await StartAsync();
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var first = await peers.ReadAsync();
        await AcceptAsync(first);
        await first.RunAsync($"< id='m1'\n{Settled}");
        _world.Forget("mantua.test");
        await first.RunAsync("! reset");
        await _anyEnded.Task.WaitAsync(TestClient.Patience);
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(122));
        await ExpectTimeoutAsync(romeo, "m1");
    }

    [Fact]
    [Spec("XEP-0198", "5")]
    public async Task WhereItCannotBeResumedTheSendersLearnIt()
    {
        var romeo = await StartAsync();
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var first = await peers.ReadAsync();
        await AcceptAsync(first);
        await WriteAsync(romeo, "m2");
        await first.RunAsync($"< id='m2'\n{Settled}\n! reset");
        var second = await peers.ReadAsync();
        await second.RunAsync($"""
            {WelcomeManaged}
            < <resume xmlns='{Ns}' h='0' previd='tok'/>
            > <failed xmlns='{Ns}' h='1'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
            < <enable xmlns='{Ns}' resume='true'/>
            """);
        await ExpectTimeoutAsync(romeo, "m2"); // it had taken the first
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task AStreamThatIsNotResumableSendsBackAndTellsOfIt()
    {
        var romeo = await StartAsync();
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var first = await peers.ReadAsync();
        await AcceptAsync(first, $"<enabled xmlns='{Ns}'/>");
        await romeo.SendAsync("<iq type='result' id='r1' to='juliet@mantua.test/x'/>");
        await first.RunAsync("< id='r1'\n! reset");
        await ExpectTimeoutAsync(romeo, "m1");
        await romeo.ExpectNothingAsync(); // answers are not answered
        await _anyEnded.Task.WaitAsync(TestClient.Patience);
        lock (_ended)
        {
            var end = Assert.Single(_ended);
            Assert.True(end.IsOutgoing);
            Assert.Equal("mantua.test", Assert.Single(end.Pairs).Remote.ToString());
            Assert.Equal("m1", Assert.Single(end.Bounced).Id);
        }
    }

    [Fact]
    [Feature("SM-17")]
    public async Task WithResendTheyAreSentAgainOnce()
    {
        var romeo = await StartAsync("""
            [modules.mod_smacks]
              smacks_s2s_resend = true
            """);
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var first = await peers.ReadAsync();
        await AcceptAsync(first, $"<enabled xmlns='{Ns}'/>");
        await romeo.SendAsync("<presence to='juliet@mantua.test/x'/>");
        await first.RunAsync("< <presence\n! reset");
        // The message comes again with its id; the presence is stale and comes back.
        var second = await peers.ReadAsync();
        await AcceptAsync(second, $"<enabled xmlns='{Ns}'/>");
        await second.RunAsync("< id='m1'\n! reset");
        await romeo.ExpectAsync("<presence type='error' from='juliet@mantua.test/x' to='romeo@verona.test/test'>" +
            "<error type='wait' by='verona.test'>...</error></presence>");
        await ExpectTimeoutAsync(romeo, "m1"); // the second time is the last
    }

    [Fact]
    public async Task WithoutItTheStreamIsAPlainOne()
    {
        var romeo = await StartAsync("""
            [modules.mod_smacks]
              smacks_enabled_s2s = false
            """);
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var peer = await peers.ReadAsync();
        await peer.RunAsync($"""
            {WelcomeManaged}
            < <message
            """);
        Assert.DoesNotContain(Ns, peer.Rest, StringComparison.Ordinal);
        var incoming = await _world.ProveAsync(_verona, "other.test", "verona.test");
        await incoming.RunAsync($"> <enable xmlns='{Ns}'/>\n< <failed xmlns='{Ns}'><unexpected-request ");
    }

    [Fact]
    public async Task AnAcknowledgementThatIsLateEndsTheStream()
    {
        var romeo = await StartAsync();
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var peer = await peers.ReadAsync();
        await AcceptAsync(peer);
        await peer.RunAsync($"< <r xmlns='{Ns}'/>");
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(32));
        await peer.RunAsync("< <stream:error><connection-timeout *</stream:stream>\n> </stream:stream>\n! end");
        await ExpectTimeoutAsync(romeo, "m1");
        await WriteAsync(romeo, "m2");
        await AcceptAsync(await peers.ReadAsync()); // the next one opens a new stream
    }

    [Fact]
    [Spec("XEP-0198", "4")]
    public async Task MoreAcknowledgedThanSentEndsTheStream()
    {
        var romeo = await StartAsync();
        var peers = _world.Script("mantua.test");
        await WriteAsync(romeo, "m1");
        var peer = await peers.ReadAsync();
        await AcceptAsync(peer);
        await peer.RunAsync($"> <a xmlns='{Ns}' h='7'/>");
        await peer.RunAsync("< <stream:error><undefined-condition *" +
            $"<handled-count-too-high xmlns='{Ns}' h='7' send-count='1'/>");
    }

    [Fact]
    [Feature("SM-16")]
    public async Task WhatAPeerSendsIsCountedAndItMayResume()
    {
        var romeo = await StartAsync();
        var first = await _world.ProveAsync(_verona, "mantua.test", "verona.test");
        await first.RunAsync($"> <r xmlns='{Ns}'/>\n< <failed xmlns='{Ns}'>");
        await first.RunAsync($"> <enable xmlns='{Ns}' resume='true'/>");
        string enabled = await first.WaitAsync(new("<enabled [^>]*>"));
        string token = enabled.Split("id='")[1].Split('\'')[0];
        Assert.Contains("max='120'", enabled, StringComparison.Ordinal);
        await first.RunAsync("> <message from='a@mantua.test' to='romeo@verona.test/test' id='m1'/>");
        await first.RunAsync($"> <r xmlns='{Ns}'/>\n< <a xmlns='{Ns}' h='1'/>\n! reset");
        await romeo.ExpectAsync("<message from='a@mantua.test' to='romeo@verona.test/test' id='m1'/>");
        // Only who proves the domain afresh, and the same one.
        var other = await _world.ProveAsync(_verona, "other.test", "verona.test");
        await other.RunAsync($"> <resume xmlns='{Ns}' h='0' previd='{token}'/>\n< <failed *<item-not-found ");
        var second = await _world.ProveAsync(_verona, "mantua.test", "verona.test");
        await second.RunAsync($"> <resume xmlns='{Ns}' h='0' previd='{token}'/>");
        await second.RunAsync($"< <resumed xmlns='{Ns}' h='1' previd='{token}'/>");
        // While it is open still, as half-open connections are, it is taken over.
        var third = await _world.ProveAsync(_verona, "mantua.test", "verona.test");
        await third.RunAsync($"> <resume xmlns='{Ns}' h='0' previd='{token}'/>\n< <resumed ");
        await second.RunAsync("< <stream:error><conflict *</stream:stream>");
    }

    [Fact]
    public async Task AfterItsTimeItCannotBeResumed()
    {
        await StartAsync();
        var first = await _world.ProveAsync(_verona, "mantua.test", "verona.test");
        await first.RunAsync($"> <enable xmlns='{Ns}' resume='true'/>");
        string token = (await first.WaitAsync(new("<enabled [^>]*>"))).Split("id='")[1].Split('\'')[0];
        await first.RunAsync("! reset");
        await _anyEnded.Task.WaitAsync(TestClient.Patience);
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(123));
        var second = await _world.ProveAsync(_verona, "mantua.test", "verona.test");
        await second.RunAsync($"> <resume xmlns='{Ns}' h='0' previd='{token}'/>\n< <failed *<item-not-found ");
    }
}
