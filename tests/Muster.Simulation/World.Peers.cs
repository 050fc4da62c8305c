using Muster.Core.Joins;
using Muster.Core.Streams;

namespace Muster.Simulation;

// Two servers, and what happens to the streams between them.
public sealed partial class World
{
    /// <summary>Longest time that rooms may need to be asked, with the pauses for those that drop somebody again and
    /// again.</summary>
    static readonly TimeSpan RestMax = TimeSpan.FromHours(6);
    const int RestMilliseconds = 60_000;
    /// <summary>After it, what was not answered counts as refused.</summary>
    const int UnansweredMilliseconds = 150_000;
    const int WitnessMilliseconds = 1000, WitnessTries = 20;

    readonly List<PeerStream> _streams = [];
    readonly Dictionary<PeerPair, long> _blocked = [];
    int _breaks, _drops;

    static string[] FederatedRooms => ["garden@muc.x", "hall@muc.y"];
    static string[] FederatedDevices => ["romeo@x/1", "romeo@x/2", "julia@x/1", "nurse@y/1", "nurse@y/2", "tybalt@y/1"];

    /// <summary>Whether there are two servers.</summary>
    internal bool IsFederated { get; }
    /// <summary>Whether the servers acknowledge each other's stanzas (XEP-0198): not all do.</summary>
    internal bool HasPeerAcks { get; private set; }
    /// <summary>How rooms of other servers are asked.</summary>
    internal CheckRules CheckRules { get; private set; } = new();
    /// <summary>Streams on which a peer went on after they had broken.</summary>
    internal int PeerResumes { get; set; }

    void PlanFederation()
    {
        HasPeerAcks = Chance(0.6);
        CheckRules = new CheckRules
        {
            Delay = TimeSpan.FromSeconds(2),
            Timeout = TimeSpan.FromSeconds(10),
            GiveUp = TimeSpan.FromHours(1),
            // Half of the worlds must do without: the ends of streams say enough.
            Silence = Chance(0.5) ? TimeSpan.FromSeconds(90) : TimeSpan.Zero,
        };
    }

    string DescribeFederation() => IsFederated
        ? $", {_breaks} streams broken, {PeerResumes} resumed, {_drops} dropped out"
        : "";

    internal void NoteDrop() => _drops++;

    internal void Began(PeerStream stream) => _streams.Add(stream);

    /// <summary>Whether a connection can be made, one way: routes may differ.</summary>
    internal bool IsReachable(PeerPair pair) => !IsStormy || _blocked.GetValueOrDefault(pair) <= Time;

    void BreakStreams(Server server)
    {
        foreach (var stream in _streams.ToArray())
            if (stream.From == server || stream.To == server) Break(stream, noticedWithin: 3000);
    }

    void HarmStreams()
    {
        _streams.RemoveAll(stream => !stream.IsUp);
        if (_streams.Count == 0) return;
        var stream = _streams[Random.Next(_streams.Count)];
        switch (Random.Next(6))
        {
            case 0:
                stream.CloseIfIdle();
                break;
            case 1:
                // Nothing gets through for a while; whoever looks at the connection sees nothing wrong.
                Note($"{stream.Pair.Local} does not reach {stream.Pair.Remote}");
                _blocked[stream.Pair] = Time + Random.Next(500, Chance(0.2) ? 60_000 : 8000);
                Break(stream, noticedWithin: 20_000);
                break;
            case 2:
                Note("the network between the servers is down");
                long until = Time + Random.Next(500, Chance(0.2) ? 60_000 : 8000);
                foreach (var one in _streams.ToArray())
                {
                    _blocked[one.Pair] = until;
                    Break(one, noticedWithin: 10_000);
                }
                break;
            default:
                Break(stream, noticedWithin: Chance(0.2) ? 20_000 : 500);
                break;
        }
    }

    void Break(PeerStream stream, int noticedWithin)
    {
        if (!stream.IsUp) return;
        _breaks++;
        stream.Break(noticedWithin);
    }

    /// <summary>Time passes: rooms look after their occupants and servers after their sessions for ever, so there is no
    /// end to events. It is enough when nobody waits for an answer, and no client is on its
    /// way back.</summary>
    void Rest()
    {
        long last = Time + (long)RestMax.TotalMilliseconds;
        do
        {
            if (Time > last) throw new SimulationException("rooms are asked without end");
            Pass(RestMilliseconds);
        }
        while (Servers.Any(server => !server.HasAsked) || _clients.Exists(client => !client.IsReady));
    }

    void Pass(int milliseconds)
    {
        long until = Time + milliseconds;
        for (int i = 0; _events.TryPeek(out _, out var next) && next.At <= until; i++)
        {
            if (i > SettlingEventsMax) throw new SimulationException("it does not come to rest");
            RunNext();
        }
        Time = until;
    }

    /// <summary>What is said and shown comes back from those who are not there, so that rooms find their ghosts; in one
    /// where nobody is, a ghost stays until somebody enters.</summary>
    void AgreeAtRest()
    {
        Pass(UnansweredMilliseconds);
        foreach (var room in Rooms.Where(room => !_clients.Exists(client => client.Rooms[room].IsInside)))
        {
            var witness = _clients.First(client => client.Server == Home(room)).Rooms[room];
            witness.Enter();
            Pass(WitnessMilliseconds);
            // A ghost may have its nick, or be the owner of a room that lets nobody else in.
            for (int i = 0; i < WitnessTries && !witness.IsInside; i++)
            {
                witness.Enter(isAnew: true);
                Pass(WitnessMilliseconds);
            }
        }
        foreach (var client in _clients) client.SayInAll();
        Rest();
        Check.Agreement(this);
    }
}
