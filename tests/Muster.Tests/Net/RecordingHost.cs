using System.Collections.Concurrent;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;

namespace Muster.Tests.Net;

/// <summary>Stands where accounts, rooms and features stand: binds what is asked for, keeps what it gets, and answers
/// pings and echoes messages to their sender.</summary>
sealed class RecordingHost : IClientHost
{
    readonly ConcurrentDictionary<Jid, Session> _sessions = new();
    int _boundCount;

    public ConcurrentQueue<Stanza> Received { get; } = new();
    public int BoundCount => _boundCount;
    public ConcurrentQueue<Session> Ended { get; } = new();
    public StanzaError? BindRefusal { get; set; }

    /// <summary>Runs before a stanza is taken: waits or fails as a test wants.</summary>
    public Func<Stanza, Task> OnReceive { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Runs when a session is bound, before its client knows.</summary>
    public Action<Session> OnBound { get; set; } = static _ => { };

    public Session Find(string jid) => _sessions[Jid.Parse(jid)];

    public ValueTask<(Session? Session, StanzaError? Refusal)> Bind(
        Jid account, string? resource, SessionLink link, string connectionId, string? client = null)
    {
        if (BindRefusal is not null || !account.TryWithResource(resource ?? "made-by-server", out var full))
            return new((null, BindRefusal ?? StanzaError.BadRequest));
        var session = new Session(full, link, connectionId) { Client = client };
        if (_sessions.TryGetValue(full, out var old)) old.End(StreamError.Conflict);
        _sessions[full] = session;
        Interlocked.Increment(ref _boundCount);
        OnBound(session);
        return new((session, null));
    }

    public ValueTask<IReadOnlyList<Element>> Enable(Session session, IReadOnlyList<Element> requests) => new(requests);

    public async ValueTask Receive(Session session, Stanza stanza)
    {
        await OnReceive(stanza);
        Received.Enqueue(stanza);
        if (stanza is Iq { Type: IqType.Get, Payload.Name: "ping" } ping) session.Deliver(ping.Result());
        else if (stanza is Message) session.Deliver(stanza.Readdressed(session.Account, session.Jid));
    }

    public ValueTask End(Session session, SessionLink link)
    {
        session.End(null);
        Ended.Enqueue(session);
        return default;
    }

    public ValueTask Detach(Session session, SessionLink link) => End(session, link);

    public ValueTask<Element?> Manage(Session session, Element enable) =>
        new(SmElements.Failed(enable.Namespace, StanzaError.FeatureNotImplemented));

    public ValueTask<Resumption> Resume(Jid account, Element resume, SessionLink link) =>
        new(new Resumption(null, SmElements.Failed(resume.Namespace, StanzaError.ItemNotFound), []));

    public ValueTask KeepCount(Session session) => default;

    public void AckDelayed(Session session) { }
}
