using System.Globalization;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

/// <summary>What must always be true. Each finding is a <see cref="SimulationException"/>.</summary>
internal static class Check
{
    /// <summary>Everybody sees the archive from where he entered: every message once, in its order, as it is
    /// stored.</summary>
    public static void Live(Store store, Jid who, Visit visit, string id, Message shown)
    {
        int index = visit.ArchivedBefore + visit.Seen;
        int position = index < store.Archive.Count && Id(store.Archive[index]) == id
            ? index
            : store.Archive.FindIndex(entry => Id(entry) == id);
        if (position < 0) throw new SimulationException($"{who} is shown {id}, which is not archived");
        if (position > index)
            throw new SimulationException($"{who} missed {Id(store.Archive[index])}: it sees {id} instead");
        if (position < index) throw new SimulationException($"{who} sees {id} again");
        var archived = store.Archive[position].Stanza;
        if (!ReferenceEquals(archived, shown) && !archived.ToElement().DeepEquals(shown.ToElement()))
            throw new SimulationException($"{who} sees '{shown}', archived is '{archived}'");
    }

    /// <summary>Who enters gets the newest messages of the archive, as many as the room gives and the client
    /// wants.</summary>
    public static void History(Store store, Jid who, List<string> seen, int archivedBefore, int max)
    {
        var expected = store.Archive.Take(archivedBefore).Where(entry => entry.Kind == RoomMessageKind.Message)
            .TakeLast(Math.Min(max, 20)).Select(Id).ToList();
        if (!expected.SequenceEqual(seen))
            throw new SimulationException(
                $"{who} gets the history {string.Join(' ', seen)} for {string.Join(' ', expected)}");
    }

    /// <summary>When nothing is under way: all have seen all, agree on who is there, and no word is lost.</summary>
    public static void AtRest(RoomLoop room, List<Client> clients, Store store)
    {
        var truth = room.Truth();
        var inside = room.Loaded.Sessions.ToHashSet();
        foreach (var client in clients)
        {
            if (client.IsInside != inside.Remove(client.Jid))
                throw new SimulationException($"{client.Jid} believes inside={client.IsInside}, the room does not");
            if (!client.IsInside) continue;
            int seen = client.Visit!.ArchivedBefore + client.Visit.Seen;
            if (seen != store.Archive.Count)
                throw new SimulationException($"{client.Jid} has seen {seen} of {store.Archive.Count}");
            if (!truth.SetEquals(client.View))
                throw new SimulationException(
                    $"{client.Jid} sees [{string.Join(", ", client.View)}], there are [{string.Join(", ", truth)}]");
        }
        if (inside.Count > 0) throw new SimulationException($"{inside.First()} is a ghost");
        Words(room, clients, store);
    }

    // What a client sent and the server took is archived once, or refused. A crash or a session that ended may have
    // swallowed what was still under way, but never doubled it.
    static void Words(RoomLoop room, List<Client> clients, Store store)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in store.Archive)
            counts[entry.Stanza.Id!] = counts.GetValueOrDefault(entry.Stanza.Id!) + 1;
        foreach (string id in clients.SelectMany(client => client.Sent))
        {
            int count = counts.GetValueOrDefault(id);
            if (count > 1) throw new SimulationException($"{id} is archived {count} times");
            if (count == 1
                && room.Failed.Contains(id)) throw new SimulationException($"{id} is archived though its batch failed");
        }
        foreach (var client in clients)
            if (client.Accepted.FirstOrDefault(id => !counts.ContainsKey(id) && !client.Refused.Contains(id)
                && !room.Failed.Contains(id))
                is { } lost) throw new SimulationException($"{lost} was accepted and is nowhere");
    }

    static string Id(RoomEffect.Archive entry) => entry.Id.ToString(CultureInfo.InvariantCulture);
}
