using System.Globalization;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

/// <summary>What must always be true. Each finding is a <see cref="SimulationException"/>.</summary>
internal static class Check
{
    public static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>Everybody sees the archive from where he entered: every message once, in its order, as it is
    /// stored.</summary>
    public static void Live(World world, Jid who, Jid room, Visit visit, long id, Message shown)
    {
        var archive = world.DiskOf(room).Archive(room);
        int index = visit.ArchivedBefore + visit.Seen;
        int position = index < archive.Count && archive[index].Id == id
            ? index
            : archive.FindIndex(entry => entry.Id == id);
        if (position < 0) throw new SimulationException($"{who} is shown {id}, which is not archived");
        if (position > index) throw new SimulationException($"{who} missed {archive[index].Id}: it sees {id} instead");
        if (position < index) throw new SimulationException($"{who} sees {id} again");
        // What is sent again after resuming says when it should have come (XEP-0198 §5).
        var bare = shown.Readdressed(shown.From, default).Without(child => Delay.IsBy(child, who.Bare));
        if (!archive[position].Stanza.ToElement().DeepEquals(bare.ToElement()))
            throw new SimulationException($"{who} sees '{bare}', archived is '{archive[position].Stanza}'");
    }

    /// <summary>Who enters gets the newest messages of the archive, as many as the room gives and the client
    /// wants.</summary>
    public static void History(World world, Jid who, Jid room, List<long> seen, int archivedBefore, int max)
    {
        var expected = world.DiskOf(room).Archive(room).Take(archivedBefore)
            .Where(entry => entry.Kind == RoomMessageKind.Message)
            .TakeLast(Math.Min(max, 20)).Select(entry => entry.Id).ToList();
        if (!expected.SequenceEqual(seen))
            throw new SimulationException(
                $"{who} gets the history {string.Join(' ', seen)} for {string.Join(' ', expected)}");
    }

    /// <summary>A client is told that the server has taken a stanza: what it says must be kept, or refused.</summary>
    public static void Acknowledged(World world, Jid who, Stanza stanza)
    {
        if (stanza is not Message { Body: not null, Id: { } id } message || world.Ledger.Refused.Contains(id)) return;
        // An acknowledgement says that the own server has it, not that another one has.
        if (world.Home(message.To) != world.Home(who)) return;
        if (Count(world, message) == 0)
            throw new SimulationException($"{who} is told that {id} has arrived, and it is nowhere");
    }

    /// <summary>How often a message is stored.</summary>
    static int Count(World world, Message message)
    {
        if (message.Type == MessageType.Groupchat)
            return world.DiskOf(message.To).Archive(message.To).Count(entry => entry.Stanza.Id == message.Id);
        return world.DiskOf(message.To).Letters(message.To.Bare)
            .Count(letter => letter.IsIncoming && letter.Message.Id == message.Id);
    }

    /// <summary>Occupants are sessions that are alive: whoever is not is about to be told out.</summary>
    public static void NoGhosts(World world)
    {
        foreach (var server in world.Servers) NoGhosts(server);
    }

    // Of sessions of other servers a room learns late.
    static void NoGhosts(Server server)
    {
        if (!server.IsUp || !server.IsQuiet) return;
        foreach (var room in server.Rooms.Values)
        {
            if (server.Disk.Occupants.ContainsKey(room.Address)) continue; // not loaded yet
            foreach (var session in room.Loaded.Sessions)
                if (server.Serves(session) && !server.Sessions.ContainsKey(session))
                    throw new SimulationException($"{session} is a ghost in {room.Address}");
        }
    }

    /// <summary>Between servers, when nothing goes wrong any more and the rooms have been asked: each device is an
    /// occupant and knows it, or is not and knows that; and its own server knows the same.</summary>
    public static void Agreement(World world)
    {
        foreach (var client in world.Clients)
        {
            foreach (var view in client.Rooms.Values)
            {
                var room = world.Home(view.Room).Rooms[view.Room].Loaded;
                bool isInside = room.Sessions.Contains(client.Jid);
                if (view.IsInside != isInside)
                    throw new SimulationException(isInside
                        ? $"{client.Jid} is a ghost in {view.Room}: it does not know that it is inside"
                        : $"{client.Jid} has dropped out of {view.Room} in silence");
                if (!view.IsForeign) continue;
                var session = client.Server.Sessions.GetValueOrDefault(client.Jid);
                bool isKnown = session?.Joins?.TryFind(view.Room, out var joined) == true;
                if (isKnown != isInside)
                    throw new SimulationException(
                        $"the server of {client.Jid} believes inside={isKnown} of {view.Room}");
            }
        }
    }

    /// <summary>When nothing is under way: all have seen all, agree on who is there, and no word is lost.</summary>
    public static void AtRest(World world, IReadOnlyList<Client> clients)
    {
        NoGhosts(world);
        foreach (var room in world.Servers.SelectMany(server => server.Rooms.Values))
        {
            var truth = room.Truth();
            var inside = room.Loaded.Sessions.ToHashSet();
            foreach (var client in clients)
            {
                var view = client.Rooms[room.Address];
                if (view.IsInside != inside.Contains(client.Jid))
                    throw new SimulationException(
                        $"{client.Jid} believes inside={view.IsInside} of {room.Address}, which does not");
                if (view.IsInside) SeesAll(world, client, view, truth);
            }
        }
        foreach (var client in clients) Words(world, client);
    }

    static void SeesAll(World world, Client client, RoomView view, SortedSet<string> truth)
    {
        if (!truth.SetEquals(view.Occupants))
            throw new SimulationException(
                $"{client.Jid} sees [{string.Join(", ", view.Occupants)}], there are [{string.Join(", ", truth)}]");
        var all = world.DiskOf(view.Room).Archive(view.Room).Select(entry => entry.Id);
        if (!view.Archive.IsComplete || !view.Archive.Known.SequenceEqual(all))
            throw new SimulationException($"{client.Jid} knows {view.Archive.Known.Count} of {all.Count()} of "
                + $"{view.Room}, complete={view.Archive.IsComplete}");
    }

    // What a client sent is kept once, or was refused. Of what it forgot itself nobody can say whether it arrived.
    static void Words(World world, Client client)
    {
        foreach (var message in client.Sent)
        {
            // Between servers it may be lost, or come twice: a process dies that has sent it and not counted it yet.
            if (world.Home(message.To) != client.Server) continue;
            int count = Count(world, message);
            if (count > 1) throw new SimulationException($"{message.Id} is kept {count} times");
            if (count == 0 && !world.Ledger.Refused.Contains(message.Id!) && !client.Forgotten.Contains(message.Id!)
                && !client.WaitsToSay(message))
                throw new SimulationException($"{message.Id} is nowhere");
        }
        var letters = client.Server.Disk.Letters(client.Jid.Bare)
            .Where(letter => letter.IsIncoming && (letter.Message.To.IsBare || letter.Message.To == client.Jid))
            .Select(letter => letter.Id).ToList();
        var lost = letters.Except(client.Letters.Known).ToList();
        if (lost.Count > 0) throw new SimulationException($"{client.Jid} never got {string.Join(' ', lost)}");
    }
}
