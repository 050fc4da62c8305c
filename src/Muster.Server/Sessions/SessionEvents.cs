using Muster.Core.Sessions;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Sessions;

/// <summary>
/// What happens to managed sessions and others act upon: push notifications above all (stream-management.md §8). The
/// lists are filled while the server is built. What stands in them is called on the thread of whoever caused the event,
/// without any lock, and must not wait.
/// </summary>
sealed class SessionEvents
{
    /// <summary><c>smacks-ack-delayed</c>: the client has owed an acknowledgement for too long. The stanza is one that
    /// was sent meanwhile; null when the time has just run out.</summary>
    public List<Action<Session, SharedStanza?>> AckDelayed { get; } = [];

    /// <summary><c>smacks-hibernation-start</c>: the connection is gone, and the session waits for another.</summary>
    public List<Action<Session>> HibernationStarted { get; } = [];

    /// <summary><c>smacks-hibernation-stanza-queued</c>: a stanza waits for a client that is not there.</summary>
    public List<Action<Session, SharedStanza>> StanzaQueued { get; } = [];

    /// <summary><c>smacks-hibernation-end</c>: the client is back.</summary>
    public List<Action<Session>> HibernationEnded { get; } = [];

    /// <summary><c>delivery/failure</c>: a session has died without bringing a stanza to its client. The first that
    /// answers true has taken care of it.</summary>
    public List<Func<Session, SmEntry, bool>> DeliveryFailed { get; } = [];
}
