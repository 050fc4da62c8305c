using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Sessions;

/// <summary>What a client's connection needs of the server. It keeps Net from knowing accounts, rooms and
/// features.</summary>
interface IClientHost
{
    /// <summary>Binds a resource for an authenticated account; a null resource asks the server to choose one (RFC 6120
    /// §7.6, §7.7). Where the client installation is known, its sessions of before end (XEP-0386
    /// §bind-request).</summary>
    /// <returns>The session, or the error to answer the bind request with.</returns>
    ValueTask<(Session? Session, StanzaError? Refusal)> Bind(Jid account, string? resource, SessionLink link,
        string connectionId, string? client = null);

    /// <summary>Turns on what the client asked for as it bound (XEP-0386); what nobody knows is passed over.</summary>
    /// <returns>What came of it, for the client.</returns>
    ValueTask<IReadOnlyList<Element>> Enable(Session session, IReadOnlyList<Element> requests);

    /// <summary>Takes one stanza that the session's client sent, in order. Its <c>from</c> is already stamped with the
    /// full JID. Completes when the server has taken responsibility; the reader waits for that.</summary>
    ValueTask Receive(Session session, Stanza stanza);

    /// <summary>Ends a session: unavailable presence to all who need it, then the resource is free.
    /// Idempotent.</summary>
    ValueTask End(Session session);
}
