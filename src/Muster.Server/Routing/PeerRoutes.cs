using Muster.Protocol.Stanzas;

namespace Muster.Server.Routing;

/// <summary>Takes stanzas for other servers. Federation is not there yet, so each is answered as for a domain that
/// cannot be found (RFC 6120 §8.3.3.15).</summary>
sealed class PeerRoutes(Router router) : IStanzaTarget
{
    public ValueTask Route(Stanza stanza) =>
        router.Refuse(stanza, StanzaError.RemoteServerNotFound.WithText("This server does not federate."));
}
