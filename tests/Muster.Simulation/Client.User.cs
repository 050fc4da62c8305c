using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

// What the user does, and what it sees.
internal sealed partial class Client
{
    public bool IsReady => _isOnline && !_isLeaving;

    public void Act()
    {
        if (_wire is null && _count == 0) Connect();
        if (!IsReady) return;
        var view = Rooms[_world.Rooms[_world.Random.Next(_world.Rooms.Count)]];
        if (_world.Chance(0.2)) Write();
        else if (view.IsInside) Act(view);
        else if (_world.Chance(0.5)) view.Enter();
    }

    void Act(RoomView view)
    {
        switch (_world.Random.Next(26))
        {
            case 0: view.Depart(); break;
            case 1: view.Enter(); break; // again: it lost what it knew
            case 2: Send(new Presence(PresenceType.Available, default, view.At(view.AnyNick()), NextId())); break;
            case 3: Send(new Message(MessageType.Groupchat, default, view.Room, NextId(), Text("subject",
                $"s{_count}"))); break;
            case 4: Send(new Presence(PresenceType.Available, default, view.At(view.Nick), NextId(), Text("show",
                "away"))); break;
            case 5: Manage(view, new MucItem(Role: (Role)_world.Random.Next(0, 4), Nick: view.AnyNick())); break;
            case 6: Manage(view, new MucItem((Affiliation)_world.Random.Next(-1, 4), Jid: AnyUser())); break;
            case 7: Send(new Message(MessageType.Groupchat, default, view.Room, NextId(), new Element("urn:x",
                "typing"))); break;
            case 8: Configure(view); break;
            case 9: Register(view); break;
            case 10: SetActive(false); break;
            case 11: SetActive(true); break;
            default: Say(view); break;
        }
    }

    void Say(RoomView view) => Say(new Message(
        MessageType.Groupchat, default, view.Room, NextId(), Text("body", $"{Jid} {_count}")));

    /// <summary>To a user, mostly wherever it is.</summary>
    void Write()
    {
        var to = _world.Chance(0.7) ? AnyUser() : _world.Devices[_world.Random.Next(_world.Devices.Count)];
        if (!to.SameBare(Jid) && Server.Serves(to))
            Say(new Message(MessageType.Chat, default, to, NextId(), Text("body", $"{Jid} {_count}")));
    }

    void Say(Message message)
    {
        Sent.Add(message);
        Send(message);
    }

    void SetActive(bool isActive) =>
        _wire?.Send(new Element(Namespaces.ClientState, isActive ? "active" : "inactive"));

    void Manage(RoomView view, MucItem item) => Send(new Iq(IqType.Set, default, view.Room, NextId(),
        new Element(Namespaces.MucAdmin, "query", item.ToElement(Namespaces.MucAdmin))));

    void Configure(RoomView view)
    {
        (string var, string value) = _world.Random.Next(6) switch
        {
            0 => ("muc#roomconfig_moderatedroom", AnyFlag()),
            1 => ("muc#roomconfig_membersonly", _world.Chance(0.2) ? "1" : "0"),
            2 => ("muc#roomconfig_whois", _world.Chance(0.5) ? "anyone" : "moderators"),
            3 => ("muc#roomconfig_slow_mode_duration", _world.Chance(0.5) ? "1" : "0"),
            4 => ("muc#roomconfig_allowmultisessions", AnyFlag()),
            _ => ("members_by_default", AnyFlag()),
        };
        Send(new Iq(IqType.Set, default, view.Room, NextId(), new Element(Namespaces.MucOwner, "query",
            new DataForm(DataFormType.Submit, null, FormField.Submitted(var, value)).ToElement())));
    }

    void Register(RoomView view) => Send(new Iq(IqType.Set, default, view.Room, NextId(),
        new Element(Namespaces.Register, "query", new DataForm(DataFormType.Submit,
            "http://jabber.org/protocol/muc#register", FormField.Submitted("muc#register_roomnick", view.AnyNick()))
            .ToElement())));

    string AnyFlag() => _world.Chance(0.5) ? "1" : "0";

    Jid AnyUser() => _world.Devices[_world.Random.Next(_world.Devices.Count)].Bare;

    static Element Text(string name, string text) => new(Namespaces.Client, name, text);

    /// <summary>The storm is over: it comes back, and goes where it wants to be.</summary>
    public void Recover()
    {
        if (_wire is not { IsUp: true }) Connect();
        else if (IsReady) SetActive(true);
    }

    public void EnterAll()
    {
        if (!IsReady) throw new SimulationException($"{Jid} cannot come back");
        foreach (var view in Rooms.Values)
        {
            // What was lost between servers, an occupant's absence or a message, is learnt by entering again.
            if (view.IsForeign) view.Archive.Clear();
            if (!view.IsInside || view.IsForeign) view.Enter();
        }
    }

    /// <summary>Says something in every room that it believes to be in; and shows itself, as it may not
    /// speak.</summary>
    public void SayInAll()
    {
        foreach (var view in Rooms.Values)
        {
            if (!IsReady || !view.IsInside) continue;
            Say(view);
            if (view.IsForeign) continue; // such presence enters where it has dropped out
            Send(new Presence(PresenceType.Available, default, view.At(view.Nick), NextId(), Text("show", "chat")));
        }
    }

    /// <summary>It is inside: what an old session did not bring there is said now.</summary>
    public void Entered(RoomView view)
    {
        var messages = _again.Where(message => message.To == view.Room).ToList();
        foreach (var message in messages) Send(message);
        _again.RemoveAll(messages.Contains);
    }

    public void CatchUp(ArchiveView archive)
    {
        if (!archive.IsComplete && archive.Ask(NextId()) is { } question) Send(question);
    }

    void Receive(Stanza stanza)
    {
        var room = Rooms.GetValueOrDefault(stanza.From.Bare);
        switch (stanza)
        {
            case Iq { IsRequest: true } ping:
                Send(ping.Result(null));
                break;
            case Iq iq:
                var archive = room?.Archive ?? Letters;
                if (archive.TakeEnd(iq, NextId()) is { } next) Send(next);
                break;
            case Presence presence when presence.IsError:
                room?.Refused(presence);
                break;
            case Presence presence:
                room?.Receive(presence);
                break;
            case Message { IsError: false } message when !(room?.Archive ?? Letters).TryResult(message):
                if (room is not null && message.Type == MessageType.Groupchat) room.Receive(message);
                else if (room is null) ReceiveLetter(message);
                break;
        }
    }

    void ReceiveLetter(Message message)
    {
        long id = long.Parse(StanzaIds.Find(message, Jid.Bare)!, NumberStyles.None, Check.Plain);
        if (!_live.Add(id)) throw new SimulationException($"{Jid} gets the letter {message.Id} twice");
        Letters.Known.Add(id);
    }
}
