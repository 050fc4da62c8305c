using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Sessions;

/// <summary>What came of a request to resume a session.</summary>
/// <param name="Session">The session, which is the connection's now; null when it is refused.</param>
/// <param name="Answer">What to tell the client: <c>resumed</c> or <c>failed</c>.</param>
/// <param name="Archived">What was read from archives to be sent again first.</param>
readonly record struct Resumption(
    Session? Session, Element Answer, IReadOnlyList<(SmReference Reference, Message? Message)> Archived);

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

    /// <summary>Ends a session whose stream has ended: unavailable presence to all who need it, then the resource is
    /// free. Idempotent; nothing when the session has another connection by now.</summary>
    ValueTask End(Session session, SessionLink link);

    /// <summary>Has a session wait for another connection, as its own is gone; ends it where it cannot wait.</summary>
    ValueTask Detach(Session session, SessionLink link);

    /// <summary>Manages the stream of a session (XEP-0198 §3).</summary>
    /// <param name="session">The session, in use.</param>
    /// <param name="enable">What its client sent.</param>
    /// <returns>What to answer when it is refused; null when the client has been told.</returns>
    ValueTask<Element?> Manage(Session session, Element enable);

    /// <summary>Gives a client its earlier session back (XEP-0198 §5).</summary>
    /// <param name="account">Whose it must be.</param>
    /// <param name="resume">What the client sent.</param>
    /// <param name="link">The connection, which accepts no stanzas yet.</param>
    ValueTask<Resumption> Resume(Jid account, Element resume, SessionLink link);

    /// <summary>Has storage know how many stanzas of a managed session are settled, before its client is
    /// told.</summary>
    ValueTask KeepCount(Session session);

    /// <summary>The client owes an acknowledgement for too long. May be said again and again. Must not wait.</summary>
    void AckDelayed(Session session);
}
