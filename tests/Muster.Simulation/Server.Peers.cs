using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

// The streams to and from the other server.
internal sealed partial class Server
{
    const int ResumableMilliseconds = 25_000;

    /// <summary>A stream that its opener may resume: alive, or broken and waiting.</summary>
    sealed class Resumption
    {
        public PeerStream? Link { get; set; }
        public KeptAcks? Kept { get; set; }
        public long Until { get; set; }
    }

    readonly Dictionary<PeerPair, PeerRoute> _routes = [];
    readonly Dictionary<string, Resumption> _tokens = [];

    void SendToPeer(Stanza stanza)
    {
        var pair = new PeerPair(stanza.From.DomainJid, stanza.To.DomainJid);
        if (!_routes.TryGetValue(pair, out var route))
            _routes[pair] = route = new PeerRoute(_world, this, _world.Home(stanza.To), pair);
        route.Send(stanza);
    }

    void ForgetPeers()
    {
        _routes.Clear();
        _tokens.Clear();
        ForgetJoins();
    }

    void SweepPeers()
    {
        foreach (var route in _routes.Values.ToArray()) route.Sweep();
        foreach (var (token, found) in _tokens.ToArray())
            if (found.Link is null && found.Until <= _world.Time) _tokens.Remove(token);
    }

    // ---- Streams that the other one has opened ----

    /// <summary>A token by which a stream may be resumed.</summary>
    public string KeepToken(PeerStream stream)
    {
        string token = $"{stream.Pair.Local}-{stream.Pair.Remote}-{++_numbers}-{Life}";
        _tokens[token] = new Resumption { Link = stream };
        return token;
    }

    /// <summary>What is known of the stream that is to be resumed on another connection; null when that is
    /// nothing.</summary>
    public KeptAcks? Resume(PeerStream stream, string token)
    {
        if (!_tokens.TryGetValue(token, out var found)) return null;
        var kept = found.Kept ?? found.Link?.Surrender();
        if (kept is null) return null;
        (found.Kept, found.Link) = (null, stream);
        return kept;
    }

    /// <summary>A stream that the other server had opened is over.</summary>
    public void PeerEnded(PeerStream stream)
    {
        foreach (var (token, found) in _tokens.ToArray())
        {
            if (found.Link != stream) continue;
            (found.Link, found.Kept, found.Until) = (null, stream.Taken, _world.Time + ResumableMilliseconds);
            if (found.Kept is null) _tokens.Remove(token);
        }
        StreamEnded(stream.Pair.Remote, stream.Pair.Local);
    }

    /// <summary>A stream between two domains is over, whoever opened it.</summary>
    public void StreamEnded(Jid local, Jid remote)
    {
        _world.Note($"{this} notices the end of a stream between {local} and {remote}");
        if (_world.Fault != Fault.ForgetStreamEnd && local.Domain.SequenceEqual(_domain))
            _checks.StreamEnded(remote, _world.Now);
    }
}
