using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>Servers that are not there, do not answer, or refuse: what the senders learn, and when.</summary>
public sealed class UnreachablePeerTests : IAsyncLifetime
{
    readonly PeerWorld _world = new();
    TestServer _verona = null!;
    TestClient _romeo = null!;

    public async Task InitializeAsync()
    {
        _verona = await _world.ServeAsync("verona.test", """
            [s2s]
              use_starttls = "optional"
              connection_timeout = 5000
              dns_timeout = 5
              max_retry_delay = 8
            [limits]
              peer_queue_length = 2
            """);
        _romeo = await _verona.LoginAsync("romeo@verona.test");
    }

    public Task DisposeAsync() => _verona.DisposeAsync().AsTask();

    Task WriteAsync(string id, string to = "juliet@mantua.test") =>
        _romeo.SendAsync($"<message to='{to}' id='{id}'><body>hello</body></message>");

    Task ExpectErrorAsync(string id, string type, string condition, string to = "juliet@mantua.test") =>
        _romeo.ExpectAsync($"<message type='error' from='{to}' to='romeo@verona.test/test' id='{id}'>" +
            $"<error type='{type}' by='verona.test'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*</text></error></message>");

    [Fact]
    [Spec("RFC 6120", "10.4.3")]
    public async Task ADomainThatIsNotThere()
    {
        await WriteAsync("m1");
        await ExpectErrorAsync("m1", "cancel", "remote-server-not-found");
    }

    [Fact]
    [Spec("RFC 6120", "10.4.3")]
    public async Task AServerThatDoesNotAnswer()
    {
        _world.Swallow("mantua.test");
        await WriteAsync("m1");
        await _romeo.ExpectNothingAsync();
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(6));
        await ExpectErrorAsync("m1", "wait", "remote-server-timeout");
    }

    [Fact]
    public async Task AServerThatConnectsAndSaysNothing()
    {
        var peers = _world.Script("mantua.test");
        await WriteAsync("m1");
        var peer = await peers.ReadAsync();
        await peer.RunAsync("< <stream:stream");
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(32));
        await peer.RunAsync("< <stream:error><connection-timeout *</stream:stream>\n! end");
        await ExpectErrorAsync("m1", "wait", "remote-server-timeout");
    }

    [Fact]
    public async Task AServerThatNeverAnswersDialback()
    {
        var peers = _world.Script("mantua.test");
        await WriteAsync("m1");
        var peer = await peers.ReadAsync();
        await peer.RunAsync($"""
            < <stream:stream
            > <stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' id='i' version='1.0'
            > \nxmlns:stream='http://etherx.jabber.org/streams'><stream:features/>
            < <db:result from='verona.test' to='mantua.test'>
            """);
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(42));
        await ExpectErrorAsync("m1", "wait", "remote-server-timeout");
    }

    [Theory]
    [Spec("XEP-0220", "2.1.1")]
    [InlineData("<db:result from='mantua.test' to='verona.test' type='invalid'/>", "cancel", "internal-server-error")]
    [InlineData("<db:result from='mantua.test' to='verona.test' type='error'><error type='cancel'>" +
        "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>", "wait",
        "remote-server-timeout")]
    [InlineData("<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>" +
        "</stream:stream>", "cancel", "remote-server-not-found")]
    [InlineData("<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>" +
        "</stream:stream>", "wait", "remote-server-timeout")]
    public async Task AServerThatRefuses(string answer, string type, string condition)
    {
        var peers = _world.Script("mantua.test");
        await WriteAsync("m1");
        var peer = await peers.ReadAsync();
        await peer.RunAsync($"""
            < <stream:stream
            > <stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' id='i' version='1.0'
            > \nxmlns:stream='http://etherx.jabber.org/streams'><stream:features/>
            < <db:result from='verona.test' to='mantua.test'>
            > {answer}
            < </stream:stream>
            """);
        await ExpectErrorAsync("m1", type, condition);
    }

    [Fact]
    public async Task ItIsTriedAgainLaterAndLater()
    {
        await WriteAsync("m1");
        await ExpectErrorAsync("m1", "cancel", "remote-server-not-found");
        Assert.Single(_world.Dialed);
        foreach (int seconds in (int[])[1, 2, 4, 8, 8])
        {
            // Until then everybody is told at once.
            int before = _world.Dialed.Count;
            await WriteAsync("early");
            await ExpectErrorAsync("early", "cancel", "remote-server-not-found");
            Assert.Equal(before, _world.Dialed.Count);
            await _verona.AdvanceAsync(TimeSpan.FromSeconds(seconds));
            await WriteAsync("late");
            await ExpectErrorAsync("late", "cancel", "remote-server-not-found");
            Assert.Equal(before + 1, _world.Dialed.Count);
        }
        // The same trouble is one line.
        Assert.Single(_verona.Logs.Lines, line => line.Id.Id == 7004);
    }

    [Fact]
    public async Task WhatWaitsHasABoundAndOtherDomainsDoNotWaitWithIt()
    {
        _world.Swallow("mantua.test");
        await WriteAsync("m1");
        await WriteAsync("m2");
        await WriteAsync("m3");
        await ExpectErrorAsync("m3", "wait", "resource-constraint");
        await WriteAsync("n1", "nurse@nowhere.test");
        await ExpectErrorAsync("n1", "cancel", "remote-server-not-found", "nurse@nowhere.test");
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(6));
        await ExpectErrorAsync("m1", "wait", "remote-server-timeout");
        await ExpectErrorAsync("m2", "wait", "remote-server-timeout");
    }

    [Fact]
    [Spec("RFC 6120", "8.3.1")]
    public async Task AnswersAndErrorsDoNotComeBack()
    {
        await _romeo.SendAsync("<iq type='result' id='r' to='x@nowhere.test/y'/>");
        await _romeo.SendAsync("<message type='error' id='e' to='x@nowhere.test'><error type='cancel'>" +
            "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
        await _romeo.ExpectNothingAsync();
    }
}
