using System.Globalization;
using Muster.Core.Archive;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Sessions;

/// <summary>Sessions as they are stored over a restart: one document each, of the stanzas themselves and what is known
/// about them.</summary>
static class SessionRecords
{
    const string Yes = "1";

    /// <summary>The document of a session.</summary>
    public static byte[] ToBytes(SessionSnapshot session)
    {
        var state = new Element("", "session",
            [
                .. session.Directed.Select(jid => new Element("", "directed", jid.ToString())),
                session.Available is { } available ? new Element("", "available", available.ToElement()) : null,
                session.Push is { } push
                    ? new Element("", "push", push.Node).With("app", push.App.ToString()) : null,
                .. session.Queue.Dropped.Select(ToElement),
                .. session.Queue.Stored.Select(ToElement),
            ])
            .With("jid", session.Jid.ToString())
            .With("ns", session.Terms.Namespace)
            .With("token", session.Terms.Token)
            .With("patience", Text((long)session.Terms.Patience.TotalSeconds))
            .With("taken", Text(session.Taken))
            .With("sent", Text(session.Queue.Sent))
            .With("client", session.Client)
            .With("lang", session.Lang)
            .With("interested", Flag(session.IsInterested))
            .With("blocked", Flag(session.WatchesBlocked))
            .With("carbons", Flag(session.HasCarbons))
            .With("archive", Flag(session.UsesArchive))
            .With("read-from", Text(session.ArchiveRead.First))
            .With("read-to", Text(session.ArchiveRead.Last));
        return StoredXml.ToBytes(state);
    }

    /// <summary>The session of a document; null when it cannot be read. What the configuration says of the terms is
    /// taken from <paramref name="policy"/>.</summary>
    public static SessionSnapshot? Read(ReadOnlyMemory<byte> bytes, SmPolicy policy)
    {
        if (StoredXml.Read(bytes) is not { } state || !Jid.TryParse(state.Attribute("jid"), out var jid)
            || state.Attribute("token") is not { } token || state.Attribute("ns") is not { } ns) return null;
        var directed = new List<Jid>();
        var dropped = new List<SmReference>();
        var stored = new List<SmEntry>();
        Presence? available = null;
        PushLink? push = null;
        foreach (var child in state.Elements)
        {
            switch (child.Name)
            {
                case "directed":
                    if (Jid.TryParse(child.Text, out var to)) directed.Add(to);
                    break;
                case "available":
                    available = child.FirstElement is { } shown ? Stanza.Read(shown, out _) as Presence : null;
                    break;
                case "push":
                    if (Jid.TryParse(child.Attribute("app"), out var app)) push = new(app, child.Text);
                    break;
                case "dropped":
                    if (ReadReference(child) is not { } reference) return null;
                    dropped.Add(reference);
                    break;
                case "entry":
                    // One that is missing would make all counts wrong.
                    if (ReadEntry(child) is not { } entry) return null;
                    stored.Add(entry);
                    break;
            }
        }
        return new SessionSnapshot
        {
            Jid = jid,
            Terms = new SmTerms
            {
                Namespace = ns,
                Token = token,
                Patience = TimeSpan.FromSeconds(Number(state, "patience")),
                Queue = policy.Queue,
                UnackedMax = (uint)policy.UnackedMax,
                InactiveUnackedMax = (uint)policy.InactiveUnackedMax,
            },
            Queue = new SmQueueSnapshot((uint)Number(state, "sent"), [.. dropped], [.. stored]),
            Taken = (uint)Number(state, "taken"),
            Client = state.Attribute("client"),
            Lang = state.Attribute("lang"),
            Available = available,
            IsInterested = state.Attribute("interested") == Yes,
            WatchesBlocked = state.Attribute("blocked") == Yes,
            HasCarbons = state.Attribute("carbons") == Yes,
            UsesArchive = state.Attribute("archive") == Yes,
            ArchiveRead = new ArchiveSpan(Number(state, "read-from"), Number(state, "read-to")),
            Push = push,
            Directed = [.. directed],
        };
    }

    static Element ToElement(SmReference reference) => new Element("", "dropped")
        .With("room", reference.Archive.IsNone ? null : reference.Archive.ToString())
        .With("id", Text(reference.Id)).With("at", Timestamp.Format(reference.QueuedAt))
        .With("said", reference.SaidAt is { } said ? Timestamp.Format(said) : null);

    static SmReference? ReadReference(Element dropped)
    {
        if (dropped.Attribute("room") is not { } text) return default(SmReference);
        if (!Jid.TryParse(text, out var room) || !Timestamp.TryParse(dropped.Attribute("at"), out var at)) return null;
        DateTimeOffset? saidAt = Timestamp.TryParse(dropped.Attribute("said"), out var said) ? said : null;
        return new SmReference(room, Number(dropped, "id"), at, saidAt);
    }

    static Element ToElement(SmEntry entry) => new Element("", "entry", entry.Stanza.Stanza.ToElement())
        .With("to", entry.To.IsNone ? null : entry.To.ToString()).With("at", Timestamp.Format(entry.QueuedAt));

    static SmEntry? ReadEntry(Element entry)
    {
        Jid to = default;
        if (entry.Attribute("to") is { } text && !Jid.TryParse(text, out to)) return null;
        if (!Timestamp.TryParse(entry.Attribute("at"), out var at) || entry.FirstElement is not { } element
            || Stanza.Read(element, out _) is not { } stanza) return null;
        return new SmEntry(SharedStanza.From(stanza), to, at);
    }

    static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    static string? Flag(bool value) => value ? Yes : null;

    static long Number(Element element, string name) =>
        long.TryParse(element.Attribute(name), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number : 0;
}
