using Muster.Core.Archive;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Storage;

namespace Muster.Server.Archives;

/// <summary>A message on its way into the archives of its sender, its recipient or both, and what is done with it
/// then.</summary>
/// <param name="message">The message, without ids in the name of those accounts.</param>
/// <param name="sender">The sender's account, or <see cref="Jid.None"/> when it does not keep it.</param>
/// <param name="recipient">The recipient's account, or <see cref="Jid.None"/> when it does not keep it.</param>
abstract class KeptMessage(Message message, Jid sender, Jid recipient)
{
    readonly Session? _source;
    ArchiveIds _ids = ArchiveIds.Plain;
    // The sender's task must not run on the one that writes archives.
    readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The message.</summary>
    public Message Message => message;
    /// <summary>Its bytes: those that are stored are, but for an id, those that are sent.</summary>
    public SharedStanza Written { get; } = SharedStanza.From(message);
    /// <summary>Whether the sender's account keeps it.</summary>
    public bool IsForSender => !sender.IsNone;
    /// <summary>Whether the recipient's account keeps it.</summary>
    public bool IsForRecipient => !recipient.IsNone;
    /// <summary>The session that sent it, whose count of stanzas is stored with it; null when none of this server
    /// did.</summary>
    public Session? Source
    {
        get => _source;
        init
        {
            _source = value;
            if (value?.Token is { } token) Count = new StoredCount(token, value.TakenCount);
        }
    }

    /// <summary>That count, or null.</summary>
    public StoredCount? Count { get; private init; }

    /// <summary>Its id in both archives; known when it is kept.</summary>
    public long Id { get; private set; }
    /// <summary>Completes when it is kept and passed on. Throws what keeping it threw: then it was not passed
    /// on.</summary>
    public Task Done => _done.Task;

    /// <summary>The <c>stanza-id</c> by which an account finds it (XEP-0313 §3.5).</summary>
    public Element StanzaId(Jid by) => StanzaIds.StanzaId(_ids.ToText(Id), by);

    /// <summary>Passes it on. Called in the order of the archive; what it starts is not waited for.</summary>
    protected abstract ValueTask PassOn();

    internal void AddTo(List<ArchiveEntry> entries, long id, ArchiveIds ids)
    {
        (Id, _ids) = (id, ids);
        // Of two messages the later id is the later time: so a time divides an archive as an id does.
        var at = StoredTime.To(id);
        byte[] stanza = Written.ToDocument(message.To);
        if (IsForSender) entries.Add(Entry(sender, message.To));
        if (IsForRecipient) entries.Add(Entry(recipient, message.From));

        ArchiveEntry Entry(Jid archive, Jid other) =>
            new(archive, id, at, other, other.Bare, ArchiveKind.Message, stanza);
    }

    internal void Fail(Exception e) => _done.SetException(e);

    internal void Complete()
    {
        if (Count is { } count) _source!.Stored(count.Handled);
        try
        {
            var passed = PassOn();
            if (passed.IsCompletedSuccessfully) _done.SetResult();
            else _ = Wait(passed);
        }
#pragma warning disable CA1031 // Its sender's task gets it; the archive goes on with the next.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _done.SetException(e);
        }
    }

    async Task Wait(ValueTask passed)
    {
        try
        {
            await passed;
            _done.SetResult();
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _done.SetException(e);
        }
    }
}
