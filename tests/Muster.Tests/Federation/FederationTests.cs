using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>Two whole servers that talk with each other in plain text, proved by dialback.</summary>
public sealed class FederationTests : IAsyncLifetime
{
    const string Plain = """
        [s2s]
          use_starttls = "optional"
        """;

    readonly PeerWorld _world = new();
    TestServer _verona = null!, _mantua = null!;

    public async Task InitializeAsync()
    {
        _verona = await _world.ServeAsync("verona.test", Plain);
        _mantua = await _world.ServeAsync("mantua.test", Plain);
    }

    public async Task DisposeAsync()
    {
        await _verona.DisposeAsync();
        await _mantua.DisposeAsync();
    }

    [Fact]
    [Spec("XEP-0220", "1.4")]
    public async Task MessagesGoBothWays()
    {
        var romeo = await _verona.LoginAsync("romeo@verona.test");
        var juliet = await _mantua.LoginAsync("juliet@mantua.test");
        await romeo.SendAsync("<message to='juliet@mantua.test/test' id='m1'><body>hello</body></message>");
        await juliet.ExpectAsync("<message from='romeo@verona.test/test' to='juliet@mantua.test/test' id='m1'>" +
            "<body>hello</body></message>");
        await juliet.SendAsync("<message to='romeo@verona.test/test' id='m2'><body>hello yourself</body></message>");
        await romeo.ExpectAsync("<message from='juliet@mantua.test/test' to='romeo@verona.test/test' id='m2'>" +
            "<body>hello yourself</body></message>");
    }

    [Fact]
    public async Task SubscriptionsAndPresenceGoBothWays()
    {
        var romeo = await _verona.LoginAsync("romeo@verona.test");
        var juliet = await _mantua.LoginAsync("juliet@mantua.test");
        await romeo.SendAsync("<presence/>");
        await juliet.SendAsync("<presence/>");
        await romeo.SendAsync("<presence type='subscribe' to='juliet@mantua.test'/>");
        await juliet.ExpectEventuallyAsync(
            "<presence type='subscribe' from='romeo@verona.test' to='juliet@mantua.test'/>");
        await juliet.SendAsync("<presence type='subscribed' to='romeo@verona.test'/>");
        await romeo.ExpectEventuallyAsync(
            "<presence from='juliet@mantua.test/test' to='romeo@verona.test'>...</presence>");
    }

    [Fact]
    public async Task SomebodyEntersARoomOfAnotherServer()
    {
        var romeo = await _verona.LoginAsync("romeo@verona.test");
        var juliet = await _mantua.LoginAsync("juliet@mantua.test");
        await juliet.SendAsync("<presence to='garden@conference.mantua.test/Juliet'>" +
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await juliet.ExpectEventuallyAsync("<message type='groupchat' from='garden@conference.mantua.test' " +
            "to='juliet@mantua.test/test' id='**'>...<subject/></message>");
        await juliet.AskAsync("<iq type='set' id='open' to='garden@conference.mantua.test'>" +
            "<query xmlns='http://jabber.org/protocol/muc#owner'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        await romeo.SendAsync("<presence to='garden@conference.mantua.test/Romeo'>" +
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await romeo.ExpectEventuallyAsync("<message type='groupchat' from='garden@conference.mantua.test' " +
            "to='romeo@verona.test/test' id='**'>...<subject/></message>");
        await romeo.SendAsync("<message type='groupchat' to='garden@conference.mantua.test' id='g1'>" +
            "<body>but soft</body></message>");
        await juliet.ExpectEventuallyAsync("<message type='groupchat' from='garden@conference.mantua.test/Romeo' " +
            "to='juliet@mantua.test/test' id='g1'>...<body>but soft</body></message>");
        await romeo.ExpectEventuallyAsync("<message type='groupchat' from='garden@conference.mantua.test/Romeo' " +
            "to='romeo@verona.test/test' id='g1'>...<body>but soft</body></message>");
    }

    [Fact]
    [Spec("RFC 6120", "10.4.3")]
    public async Task ADomainThatDoesNotExistIsTold()
    {
        var romeo = await _verona.LoginAsync("romeo@verona.test");
        await romeo.SendAsync("<message to='nurse@nowhere.test' id='m1'><body>hello</body></message>");
        await romeo.ExpectAsync("<message type='error' from='nurse@nowhere.test' to='romeo@verona.test/test' id='m1'>" +
            "<error type='cancel' by='verona.test'>" +
            "<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*</text></error></message>");
    }
}
