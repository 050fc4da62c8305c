using System.Collections.Concurrent;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Interop.Recovery;

// Rooms (XEP-0045), messages to other users, and the archives of both (XEP-0313).
sealed partial class ManagedClient
{
    const string Mam = "urn:xmpp:mam:2";
    const int PageMax = 50;

    int _lastId;

    /// <summary>The rooms it wants to be in.</summary>
    public IReadOnlyList<Conversation> Rooms { get; }

    /// <summary>What others have sent it.</summary>
    public Conversation Own { get; }

    /// <summary>How often somebody was seen to leave a room.</summary>
    public int Departures { get; private set; }

    /// <summary>The presence of others in rooms, as it came.</summary>
    public ConcurrentQueue<string> OthersPresences { get; } = new();

    bool IsInside => Rooms.All(room => room is { IsInside: true, IsCatchingUp: false }) && !Own.IsCatchingUp;

    /// <summary>Says something in a room or to a user, now or as soon as it can.</summary>
    public Task SayAsync(string to, bool isRoom, string id) => InTurnAsync(async () =>
    {
        var message = new Outgoing(
            $"<message to='{to}' type='{(isRoom ? "groupchat" : "chat")}' id='{id}'><body>{id}</body></message>", true);
        _drafts.Enqueue(message);
        await SendDraftsAsync();
    });

    async Task EnterAsync()
    {
        foreach (var room in Rooms)
        {
            room.Forget();
            await JoinAsync(room);
        }
        // Until its presence is out nothing is delivered to the account: first what it has missed.
        Own.Forget();
        await AskArchiveAsync(Own);
    }

    // What it has missed comes from the archive, and what is said from now on waits for that.
    async Task JoinAsync(Conversation room)
    {
        room.StartCatchingUp(null);
        await SendAsync($"<presence to='{room.Address}/{_nick}'><x xmlns='{Namespaces.Muc}'>" +
            "<history maxstanzas='0'/></x></presence>");
    }

    async Task AskArchiveAsync(Conversation what, string? after = null)
    {
        string question = $"mam-{++_lastId}";
        what.StartCatchingUp(question);
        string to = what == Own ? "" : $"to='{what.Address}' ";
        after ??= what.LastArchiveId;
        await SendAsync($"<iq type='set' {to}id='{question}'><query xmlns='{Mam}' queryid='{question}'>" +
            $"<set xmlns='{Namespaces.ResultSets}'><max>{PageMax}</max>" +
            $"{(after is null ? "" : $"<after>{after}</after>")}</set></query></iq>");
    }

    async Task SendDraftsAsync()
    {
        if (_wire is null || !IsInside) return;
        while (_drafts.TryDequeue(out var message)) await SendAsync(message.Xml, isMessage: true);
    }

    async Task ReceiveAsync(Element element)
    {
        var from = Jid.TryParse(element.Attribute("from"), out var given) ? given : Jid.Parse(Address);
        if (element.Attribute("type") == "error")
        {
            _diary.Problem(_user, $"is refused: {element}");
            return;
        }
        var room = Rooms.FirstOrDefault(room => room.Address == from.Bare.ToString());
        switch (element.Name)
        {
            case "presence" when room is not null:
                await ReceivePresenceAsync(room, element, from);
                break;
            case "iq" when element.TryChild(Mam, "fin", out var fin):
                if ((room ?? Own).Question == element.Attribute("id")) await ReceiveEndOfPageAsync(room ?? Own, fin);
                break;
            case "message" when element.TryChild(Mam, "result", out var result):
                if ((room ?? Own).Question == result.Attribute("queryid")
                    && result.FirstElement?.Child(Namespaces.Client, "message") is { } kept)
                    Note(kept, result.Attribute("id")!, isLive: false, room ?? Own);
                break;
            case "message" when (room ?? Own) is var where && Stanza.Read(element, out _) is { } message
                && StanzaIds.Find(message, Jid.Parse(where.Address)) is { } archiveId:
                Note(element, archiveId, isLive: true, where);
                break;
            case "message" when element.Child("body") is not null:
                _diary.Problem(_user, $"gets what is in no archive: {element}");
                break;
        }
    }

    async Task ReceivePresenceAsync(Conversation room, Element presence, Jid from)
    {
        bool isSelf = from.Resource.SequenceEqual(_nick);
        if (!isSelf) OthersPresences.Enqueue($"{presence.Attribute("type") ?? "available"} {from}");
        if (presence.Attribute("type") == "unavailable")
        {
            _diary.Note(_user, $"sees leave {presence}");
            Departures++;
            if (!isSelf) return;
            room.Forget();
            await JoinAsync(room);
        }
        else if (isSelf && !room.IsInside)
        {
            room.IsInside = true;
            await AskArchiveAsync(room);
        }
    }

    async Task ReceiveEndOfPageAsync(Conversation where, Element fin)
    {
        if (fin.Attribute("complete") != "true")
        {
            await AskArchiveAsync(where, fin.Child(Namespaces.ResultSets, "set")?.Child("last")?.Text);
            return;
        }
        if (where.EndCatchingUp() is { } problem) _diary.Problem(_user, $"{where.Address}: {problem}");
        if (where == Own) await SendAsync("<presence/>");
        await SendDraftsAsync();
    }

    void Note(Element message, string archiveId, bool isLive, Conversation where)
    {
        if (message.Child("body") is null || message.Attribute("id") is not { } id) return;
        // The account's archive has its own messages too.
        if (where == Own && message.Attribute("from")?.StartsWith(Address, StringComparison.Ordinal) != false) return;
        _diary.Note(_user, $"{(isLive ? "hears" : "reads")} {id} {archiveId} in {where.Address}");
        var heard = new Heard(id, archiveId);
        if ((isLive ? where.Hear(heard) : where.Read(heard)) is { } problem)
            _diary.Problem(_user, $"{where.Address}: {id} ({archiveId}) {problem}");
    }
}
