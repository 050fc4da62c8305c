using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>What bad servers try with this one.</summary>
public sealed class HostilePeerTests : IAsyncLifetime
{
    readonly PeerWorld _world = new();
    TestServer _verona = null!;

    public async Task InitializeAsync() => _verona = await _world.ServeAsync("verona.test", """
        [s2s]
          use_starttls = "optional"
          [[s2s.host_policy]]
            host = "tybalt.test"
            policy = "deny"
        [limits]
          peer_streams = 3
        """, """
        tls.mode = "none"
          max_stanza_size = 10000
          login_timeout = 20
        """);

    public Task DisposeAsync() => _verona.DisposeAsync().AsTask();

    [Theory]
    [Spec("RFC 6120", "4.9.3")]
    [InlineData("<message from='a@mantua.test' to='romeo@verona.test'/>", "")]
    [InlineData("<message from='a@evil.test' to='romeo@verona.test'/>", "invalid-from")]
    [InlineData("<message from='a@verona.test' to='romeo@verona.test'/>", "invalid-from")]
    [InlineData("<message from='a@sub.mantua.test' to='romeo@verona.test'/>", "invalid-from")]
    [InlineData("<message from='a@mantua.test' to='x@elsewhere.test'/>", "host-unknown")]
    [InlineData("<message to='romeo@verona.test'/>", "improper-addressing")]
    [InlineData("<message from='a@mantua.test'/>", "improper-addressing")]
    [InlineData("<message from='a@mantua.test' to='@@'/>", "improper-addressing")]
    [InlineData("<message from='a@mantua.test' to='romeo@verona.test' xmlns='other'/>", "unsupported-stanza-type")]
    [InlineData("<message from='a@mantua.test'", "not-well-formed", "<")]
    [InlineData("<!-- a comment -->", "restricted-xml")]
    public async Task WhatAPeerMaySend(string xml, string condition, string more = "")
    {
        var peer = await _world.ProveAsync(_verona, "mantua.test", "verona.test");
        await peer.RunAsync($"> {xml}{more}");
        if (condition.Length == 0)
        {
            await peer.RunAsync("> </stream:stream>\n< </stream:stream>");
            return;
        }
        await peer.RunAsync(
            $"< <stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>*</stream:stream>");
    }

    [Fact]
    [Spec("RFC 6120", "4.9.3.12")]
    public async Task NothingIsTakenBeforeADomainIsProved()
    {
        var romeo = await _verona.LoginAsync("romeo@verona.test");
        var peer = new ScriptedPeer(_verona.AcceptPeer());
        await peer.RunAsync($"> {PeerWorld.Header("mantua.test", "verona.test")}");
        await peer.RunAsync("> <message from='a@mantua.test' to='romeo@verona.test/test'/>");
        await peer.RunAsync("< <stream:error><not-authorized *</stream:stream>");
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    [Spec("RFC 6120", "13.12")]
    public async Task AStanzaThatIsTooLargeEndsTheStream()
    {
        var peer = await _world.ProveAsync(_verona, "mantua.test", "verona.test");
        string body = new('x', 11_000);
        await peer.RunAsync($"> <message from='a@mantua.test' to='romeo@verona.test'><body>{body}</body></message>");
        await peer.RunAsync("< <stream:error><policy-violation *</stream:stream>");
    }

    [Fact]
    public async Task TooMuchBeforeProofEndsTheStream()
    {
        var peer = new ScriptedPeer(_verona.AcceptPeer());
        await peer.RunAsync($"> {PeerWorld.Header("mantua.test", "verona.test")}");
        string spaces = new(' ', 8000);
        await peer.RunAsync("< <stream:features>");
        for (int i = 0; i < 9; i++)
            await peer.RunAsync($"> <db:verify from='mantua.test' to='verona.test' id='{i}{spaces}x'>k</db:verify>");
        await peer.RunAsync("< <stream:error><policy-violation *</stream:stream>");
    }

    [Fact]
    [Spec("RFC 6120", "8.3.3.1")]
    public async Task AStanzaThatCannotBeReadComesBack()
    {
        var outgoing = _world.Script("mantua.test");
        var peer = new ScriptedPeer(_verona.AcceptPeer());
        await peer.RunAsync($"> {PeerWorld.Header("mantua.test", "verona.test")}<bidi xmlns='urn:xmpp:bidi'/>");
        await peer.RunAsync("> <db:result from='mantua.test' to='verona.test'>key</db:result>");
        _ = VouchingPeer.ServeAsync(await outgoing.ReadAsync(), "valid");
        await peer.RunAsync("< type='valid'/>");
        await peer.RunAsync("> <iq from='a@mantua.test/x' to='romeo@verona.test' type='what' id='q'/>");
        await peer.RunAsync("< <iq to='a@mantua.test/x' from='romeo@verona.test' id='q' type='error'>*<bad-request ");
    }

    [Fact]
    public async Task AForgedDomainIsRefusedAndLoggedOnce()
    {
        _world.Vouch("mantua.test", "invalid");
        for (int i = 0; i < 2; i++)
        {
            var peer = new ScriptedPeer(_verona.AcceptPeer());
            await peer.RunAsync($"> {PeerWorld.Header("mantua.test", "verona.test")}");
            await peer.RunAsync("> <db:result from='mantua.test' to='verona.test'>forged</db:result>");
            await peer.RunAsync(
                "< <db:result from='verona.test' to='mantua.test' type='invalid'/></stream:stream>\n! end");
        }
        Assert.Single(_verona.Logs.Lines, line => line.Id.Id == 7005);
        Assert.Contains("muster_peer_troubles_total 2", _verona.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AServerCannotVouchForItselfOnItsOwnStream()
    {
        // Nobody else is there for the domain, so the key cannot be verified.
        var peer = new ScriptedPeer(_verona.AcceptPeer());
        await peer.RunAsync($"> {PeerWorld.Header("evil.test", "verona.test")}<bidi xmlns='urn:xmpp:bidi'/>");
        await peer.RunAsync("> <db:result from='evil.test' to='verona.test'>key</db:result>");
        await peer.RunAsync("> <db:verify from='evil.test' to='verona.test' id='x' type='valid'/>");
        await peer.RunAsync("< <db:result from='verona.test' to='evil.test' type='error'>*<remote-server-not-found ");
    }

    [Fact]
    public async Task ADomainOnTheDenyListIsNotTalkedWith()
    {
        var romeo = await _verona.LoginAsync("romeo@verona.test");
        await romeo.SendAsync("<message to='x@tybalt.test' id='m'/>");
        await romeo.ExpectAsync("<message type='error' from='x@tybalt.test' to='romeo@verona.test/test' id='m'>" +
            "<error type='cancel' by='verona.test'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*</text></error></message>");
        var peer = new ScriptedPeer(_verona.AcceptPeer());
        await peer.RunAsync($"> {PeerWorld.Header("tybalt.test", "verona.test")}");
        await peer.RunAsync("< <stream:error><policy-violation *</stream:stream>");
        Assert.Empty(_world.Dialed);
    }

    [Fact]
    [Spec("XEP-0045", "7.2")]
    public async Task PresenceOfARoomCannotBeSpoofedByAnotherServer()
    {
        var romeo = await _verona.LoginAsync("romeo@verona.test");
        var evil = await _world.ProveAsync(_verona, "evil.test", "verona.test");
        await evil.RunAsync("> <presence from='garden@conference.mantua.test/Romeo' to='romeo@verona.test/test' " +
            "type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>");
        await evil.RunAsync("< <stream:error><invalid-from *</stream:stream>");
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task AHalfOpenStreamIsClosed()
    {
        var silent = new ScriptedPeer(_verona.AcceptPeer());
        var begun = new ScriptedPeer(_verona.AcceptPeer());
        await begun.RunAsync($"> {PeerWorld.Header("mantua.test", "verona.test")}\n< </stream:features>");
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(22));
        await silent.RunAsync("< <stream:error><connection-timeout *</stream:stream>");
        await begun.RunAsync("< <stream:error><connection-timeout *</stream:stream>");
        // Who does not end its own side is cut off.
        await _verona.AdvanceAsync(TimeSpan.FromSeconds(7));
        var cut = await Assert.ThrowsAsync<InvalidOperationException>(() => silent.RunAsync("! ended"));
        Assert.IsType<IOException>(cut.InnerException);
    }

    [Fact]
    public async Task OneDomainHasSoManyStreamsAndOthersStillHaveTheirs()
    {
        for (int i = 1; i <= 3; i++)
        {
            await _world.ProveAsync(_verona, "mantua.test", "verona.test");
            int streams = i;
            await Patience.Eventually(() => _verona.Services.Peers.StreamsOf(Jid.Parse("mantua.test")) >= streams);
        }
        var fourth = new ScriptedPeer(_verona.AcceptPeer());
        await fourth.RunAsync($"> {PeerWorld.Header("mantua.test", "verona.test")}");
        await fourth.RunAsync("> <db:result from='mantua.test' to='verona.test'>key</db:result>");
        await fourth.RunAsync("< <stream:error><resource-constraint *</stream:stream>");
        await _world.ProveAsync(_verona, "other.test", "verona.test");
    }
}
