using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Server.Peers;

namespace Muster.Server.Net;

/// <summary>Makes a connection to the server of a domain.</summary>
/// <exception cref="PeerUnreachableException">There is none to be had.</exception>
delegate Task<PeerTransport> PeerConnect(Jid domain, TimeSpan limit);

/// <summary>Opens streams to other servers.</summary>
sealed class PeerDialer(PeerServices services, Func<PeerSettings> settings, PeerConnect connect)
{
    /// <summary>Opens a stream; see <see cref="PeerDial"/>.</summary>
    public async Task<PeerLink> DialAsync(PeerPair pair, bool triesExternal, PeerAcks? resumes)
    {
        var rules = settings();
        if (services.Timers.IsStopping) throw new PeerUnreachableException("this server stops", isUnknown: false);
        var transport = await connect(pair.Remote, rules.ConnectTimeout);
        return new PeerConnection(services, rules, transport, pair, triesExternal, resumes);
    }
}
