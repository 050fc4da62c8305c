using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

/// <summary>What a client should see of a room from one entering on.</summary>
/// <param name="ArchivedBefore">Messages archived before it entered.</param>
internal sealed record Visit(int ArchivedBefore)
{
    /// <summary>Live messages seen so far.</summary>
    public int Seen { get; set; }
}

/// <summary>What the checkers know beside what is stored and what clients have seen.</summary>
internal sealed class Ledger
{
    readonly Dictionary<(Jid Room, string Id), Visit> _visits = [];

    /// <summary>Ids of messages that were refused. The word of it may have got lost: the room has decided.</summary>
    public HashSet<string> Refused { get; } = [];

    /// <summary>Sessions that a planned restart must not harm, while it goes on.</summary>
    public IReadOnlySet<Jid> Lasting { get; set; } = new HashSet<Jid>();

    public void Refuse(Stanza stanza)
    {
        if (stanza is Message { Id: { } id, IsError: false }) Refused.Add(id);
    }

    public void Entered(Jid room, string presence, int archivedBefore) =>
        _visits[(room, presence)] = new Visit(archivedBefore);

    public Visit? FindVisit(Jid room, string presence) => _visits.GetValueOrDefault((room, presence));

    public void Left(RoomEffect.Left left)
    {
        if (left.Code == MucStatus.Shutdown && Lasting.Contains(left.Session))
            throw new SimulationException($"{left.Session} is made to leave by a restart that it survives");
    }
}
