using System.Text.RegularExpressions;
using Muster.Protocol.Addresses;
using Muster.Server.Routing;

namespace Muster.Testing;

/// <summary>The server of a room service elsewhere, played by a test: it answers on the streams that the server under
/// test opens, in both directions (XEP-0288).</summary>
internal sealed partial class ScriptedRooms
{
    const string User = "http://jabber.org/protocol/muc#user";

    readonly PeerCalls _calls;
    readonly TestServer _server;
    ScriptedPeer? _peer;

    /// <summary>Takes a domain of the world.</summary>
    public ScriptedRooms(PeerWorld world, TestServer server, string domain = "rooms.test")
    {
        (_server, Domain) = (server, domain);
        _calls = world.Script(domain);
    }

    /// <summary>The domain of its rooms.</summary>
    public string Domain { get; }

    /// <summary>Takes the next connection up to the stream on which stanzas flow.</summary>
    /// <param name="from">The domain that connects.</param>
    public async Task AcceptAsync(string from = "verona.test")
    {
        _peer = await _calls.ReadAsync();
        await _peer.RunAsync($"""
            < <stream:stream
            > <stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' id='i' version='1.0'
            > \nxmlns:stream='http://etherx.jabber.org/streams'><stream:features>
            > <bidi xmlns='urn:xmpp:features:bidi'/></stream:features>
            < <bidi xmlns='urn:xmpp:bidi'/>
            < <db:result from='{from}' to='{Domain}'>
            > <db:result from='{Domain}' to='{from}' type='valid'/>
            """);
    }

    /// <summary>Whether the server has connected and waits to be accepted.</summary>
    public bool IsCalled => _calls.IsCalled;

    /// <summary>Lets a client in that sends its presence now; the client has received its own presence then.</summary>
    /// <param name="client">The client.</param>
    /// <param name="occupant">Where it enters: room and nick.</param>
    /// <param name="isNew">Whether the server has to connect for it.</param>
    public async Task AdmitAsync(TestClient client, string occupant = "garden@rooms.test/Romeo", bool isNew = true)
    {
        await client.SendAsync($"<presence to='{occupant}'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        if (isNew) await AcceptAsync(client.Jid.Domain.ToString());
        await Peer.RunAsync($"< to='{occupant}'*</presence>");
        await SendAsync($"<presence from='{occupant}' to='{client.Jid}'><x xmlns='{User}'>" +
            "<item affiliation='member' role='participant'/><status code='110'/></x></presence>");
        await client.ExpectEventuallyAsync($"<presence from='{occupant}' to='{client.Jid}'>...</presence>");
    }

    /// <summary>Sends a stanza.</summary>
    public Task SendAsync(string xml) => Peer.RunAsync($"> {xml}");

    /// <summary>Waits for a ping in somebody's name, and takes its id.</summary>
    public async Task<string> PingAsync(Jid from, string occupant = "garden@rooms.test/Romeo")
    {
        string ping = await Peer.WaitAsync(Ping());
        foreach (string attribute in new[] { $"from='{from}'", $"to='{occupant}'", "type='get'" })
        {
            if (!ping.Contains(attribute, StringComparison.Ordinal))
                throw new InvalidOperationException($"expected {attribute} in {ping}");
        }
        return ping.Split("id='")[1].Split('\'')[0];
    }

    /// <summary>Answers a ping: with a result, or with the error of a condition.</summary>
    public Task AnswerAsync(string id, Jid to, string? condition = null, string occupant = "garden@rooms.test/Romeo",
        string text = "") => SendAsync(condition is null
            ? $"<iq type='result' id='{id}' from='{occupant}' to='{to}'/>"
            : $"<iq type='error' id='{id}' from='{occupant}' to='{to}'><error type='cancel'>" +
                $"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
                (text.Length == 0 ? "" : $"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{text}</text>") +
                "</error></iq>");

    /// <summary>What came that nobody waited for.</summary>
    public string Rest => Peer.Rest;

    /// <summary>Waits for text, as a step of a script.</summary>
    public Task ReceiveAsync(string pattern) => Peer.RunAsync($"< {pattern}");

    /// <summary>Cuts the connection, and waits until the server has noticed.</summary>
    public async Task CutAsync()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Note(PeerStreamEnded _) => ended.TrySetResult();
        _server.Services.Peers.StreamEnded += Note;
        await Peer.RunAsync("! reset");
        await ended.Task.WaitAsync(TestClient.Patience);
        _server.Services.Peers.StreamEnded -= Note;
    }

    ScriptedPeer Peer => _peer ?? throw new InvalidOperationException("nobody has connected");

    [GeneratedRegex("<iq [^>]*><ping xmlns='urn:xmpp:ping'/></iq>")]
    private static partial Regex Ping();
}
