using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

/// <summary>What a session keeps of its stream while that is managed (XEP-0198). Guarded by the session's
/// lock.</summary>
sealed class ManagedStream(SmTerms terms, SessionWatcher watcher, SmQueue queue)
{
    /// <summary>The terms agreed.</summary>
    public SmTerms Terms { get; } = terms;

    /// <summary>Who is told what happens.</summary>
    public SessionWatcher Watcher { get; } = watcher;

    /// <summary>What the client has not acknowledged.</summary>
    public SmQueue Queue { get; } = queue;

    /// <summary>Asks the client for an acknowledgement.</summary>
    public Element Request { get; } = SmElements.Request(terms.Namespace);

    /// <summary>Stanzas taken from the client, modulo 2^32; of the last, work may still be under way.</summary>
    public uint Taken { get; set; }

    /// <summary>How many of them storage knows to be taken.</summary>
    public uint StoredCount { get; set; }

    /// <summary>The client has owed an acknowledgement for too long.</summary>
    public bool IsOverdue { get; set; }

    /// <summary>Stanzas that found no room, until the watcher is told.</summary>
    public List<SmEntry> Lost { get; } = [];
}
