using Microsoft.Extensions.Logging;
using Muster.Core.Archive;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Archives;

/// <summary>
/// Answers questions to archives (XEP-0313 §4, §5): those of one asker one after the other, those of different askers
/// at the same time. Neither a room nor an account waits for it.
/// </summary>
/// <remarks>For each asker one page is in memory at most, and it is sent no faster than the asker reads.</remarks>
sealed class ArchiveReaders(
    Database database, SessionTable sessions, Func<ArchiveLimits> limits, ArchiveIds ids,
    Func<Stanza, ValueTask> route, TimeProvider clock, ArchiveMeters meters, ILogger log)
{
    /// <summary>Questions of one asker that may wait: more than a client has rooms that it looks into at
    /// login.</summary>
    const int WaitingMax = 500;
    /// <summary>Questions of all askers that may wait.</summary>
    const int AllWaitingMax = 20_000;
    const string Forward = "urn:xmpp:forward:0";

    /// <summary>How long an asker may leave a page unread before it is given up.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    readonly ArchivePages _pages = new(database.Archive, limits);
    readonly Dictionary<Jid, Queue<ArchiveQuestion>> _waiting = [];
    readonly Lock _lock = new();
    int _count;

    /// <summary>Takes a question, to be answered soon. Returns at once.</summary>
    public void Post(ArchiveQuestion question)
    {
        Queue<ArchiveQuestion>? started = null;
        bool isFull;
        lock (_lock)
        {
            var asker = question.Iq.From;
            if (!_waiting.TryGetValue(asker, out var queue)) _waiting[asker] = queue = started = new();
            isFull = queue.Count >= WaitingMax || _count >= AllWaitingMax;
            if (!isFull)
            {
                queue.Enqueue(question);
                _count++;
            }
            else if (started is not null) _waiting.Remove(asker);
        }
        if (isFull) _ = Refuse(question);
        else if (started is not null) _ = Run(question.Iq.From, started);
    }

    async Task Refuse(ArchiveQuestion question)
    {
        meters.Refused();
        await Send(question, question.Iq.Refuse(
            StanzaError.ResourceConstraint.WithText("too many questions to archives wait") with
            {
                By = question.Archive,
            }));
    }

    async Task Run(Jid asker, Queue<ArchiveQuestion> queue)
    {
        // Whoever posted has other things to do.
        await Task.Yield();
        while (true)
        {
            ArchiveQuestion? question;
            lock (_lock)
            {
                if (!queue.TryDequeue(out question))
                {
                    _waiting.Remove(asker);
                    return;
                }
                _count--;
            }
            await Answer(question);
        }
    }

    async Task Answer(ArchiveQuestion question)
    {
        StanzaError error;
        try
        {
            var answer = question.Request is { } request
                ? await AnswerPage(question, request)
                : question.Iq.Result(ToEnds(await database.Archive.Range(question.Archive), ids));
            if (answer is not null) await Send(question, answer);
            return;
        }
        catch (StorageException e)
        {
            ArchivesLog.Unreadable(log, question.Archive, question.Iq.From, e.Message);
            error = StanzaError.ResourceConstraint;
        }
#pragma warning disable CA1031 // Whatever happens, who asked must not wait for ever, and the next question comes.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ArchivesLog.Failed(log, question.Archive, question.Iq.From, e);
            error = StanzaError.InternalServerError;
        }
        await Send(question, question.Iq.Refuse(error with { By = question.Archive }));
    }

    async Task Send(ArchiveQuestion question, Stanza answer)
    {
        try
        {
            await route(answer);
        }
#pragma warning disable CA1031 // There is nobody else to tell.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ArchivesLog.Failed(log, question.Archive, question.Iq.From, e);
        }
    }

    async ValueTask<Stanza?> AnswerPage(ArchiveQuestion question, ArchiveRequest request)
    {
        if (await _pages.Read(question.Archive, request) is not { } page)
            return question.Iq.Refuse(StanzaError.ItemNotFound with { By = question.Archive });
        meters.Read(page.Entries.Count);
        var session = sessions.FindSession(question.Iq.From);
        foreach (var entry in request.IsFlipped ? page.Entries.Reverse() : page.Entries)
        {
            var result = ToResult(question, request, entry);
            if (session is null) await route(result);
            else if (!await HasRoom(session) || session.Deliver(result) != DeliverOutcome.Written) return null;
        }
        var (first, last) = page.Entries is [var oldest, .., var newest] ? (oldest.Id, newest.Id)
            : page.Entries is [var only] ? (only.Id, only.Id) : (0, 0);
        if (first > 0 && request.IsUnfiltered && session?.Account == question.Archive)
            session.ArchiveRead = session.ArchiveRead.And(ArchiveSpan.Of(request, first, last));
        var set = new ResultSetPage(first > 0 ? ids.ToText(first) : null, last > 0 ? ids.ToText(last) : null,
            (int?)page.Count);
        return question.Iq.Result(new Element(ArchiveRequest.Namespace, "fin", set.ToElement())
            .With("complete", page.Complete ? "true" : null));
    }

    async ValueTask<bool> HasRoom(Session session)
    {
        if (session.HasRoom) return true;
        var deadline = clock.GetUtcNow() + Patience;
        while (session.IsAlive && clock.GetUtcNow() < deadline)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), clock);
            if (session.HasRoom) return true;
        }
        return false;
    }

    Message ToResult(ArchiveQuestion question, ArchiveRequest request, ArchiveEntry entry)
    {
        var message = StoredXml.ToStanza(entry.Stanza);
        if (message is null) ArchivesLog.EntryUnreadable(log, question.Archive, entry.Id);
        // §6.1.2: by the rules of the moment. What a sender has put there itself, the room has taken out.
        if (message is not null && question.IsRoom && !entry.From.SameBare(question.Archive) && !entry.From.IsNone &&
            (question.ShowsAddresses || entry.From.SameBare(question.Iq.From)))
            message = message.Add(new Element(Namespaces.MucUser, "x",
                new Element(Namespaces.MucUser, "item").With("jid", entry.From.ToString())));
        return new Message(MessageType.Normal, question.Archive, question.Iq.From, null,
            new Element(ArchiveRequest.Namespace, "result",
                new Element(Forward, "forwarded", new Delay(entry.At).ToElement(), message?.ToElement()))
            .With("queryid", request.QueryId).With("id", ids.ToText(entry.Id)));
    }

    /// <summary>Where an archive begins and ends (§5).</summary>
    /// <param name="range">Its first and last message, or null.</param>
    /// <param name="ids">How ids are written.</param>
    public static Element ToEnds(ArchiveRange? range, ArchiveIds ids) => range is { } ends
        ? new Element(ArchiveRequest.Namespace, "metadata",
            End("start", ids.ToText(ends.FirstId), ends.FirstAt), End("end", ids.ToText(ends.LastId), ends.LastAt))
        : new Element(ArchiveRequest.Namespace, "metadata");

    static Element End(string name, string id, DateTimeOffset at) =>
        new Element(ArchiveRequest.Namespace, name).With("id", id).With("timestamp", Timestamp.Format(at));
}
