using System.Globalization;
using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>What a client knows of an archive: it asks for what it has missed, page by page, and tells messages apart
/// by their ids (XEP-0313 §4.3, XEP-0359).</summary>
internal sealed class ArchiveView(Jid? address)
{
    string? _asked;
    long _cursor;
    long _knownUpTo; // without a gap

    public SortedSet<long> Known { get; } = [];
    /// <summary>Whether nothing was missed before what comes live.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>What comes now may leave a gap: to be closed by asking.</summary>
    public void BeginGap()
    {
        if (IsComplete && Known.Count > 0) _knownUpTo = Known.Max;
        IsComplete = false;
        _asked = null;
    }

    /// <summary>The device has lost its memory.</summary>
    public void Clear()
    {
        Known.Clear();
        IsComplete = false;
        (_asked, _knownUpTo) = (null, 0);
    }

    /// <summary>Asks for what is not known; null when that goes on already.</summary>
    public Iq? Ask(string id)
    {
        if (_asked is not null) return null;
        _cursor = _knownUpTo;
        return Page(id);
    }

    Iq Page(string id)
    {
        _asked = id;
        var query = new Element(ArchiveRequest.Namespace, "query",
            new Element("http://jabber.org/protocol/rsm", "set",
                new Element("http://jabber.org/protocol/rsm", "max", "20"),
                _cursor > 0 ? new Element("http://jabber.org/protocol/rsm", "after", _cursor.ToString(Check.Plain))
                    : null)).With("queryid", id);
        return new Iq(IqType.Set, default, address ?? default, id, query);
    }

    /// <summary>Takes a message of an answer; false when it is none.</summary>
    public bool TryResult(Message message)
    {
        if (message.Child(ArchiveRequest.Namespace, "result") is not { } result) return false;
        if (result.Attribute("queryid") != _asked) return true;
        long id = long.Parse(result.Attribute("id")!, NumberStyles.None, Check.Plain);
        Known.Add(id);
        _cursor = id;
        return true;
    }

    /// <summary>The end of an answer.</summary>
    /// <returns>The next question, or null.</returns>
    public Iq? TakeEnd(Iq answer, string nextId)
    {
        if (answer.Id != _asked) return null;
        _asked = null;
        if (answer.IsError) return null;
        if (answer.Payload!.Attribute("complete") != "true") return Page(nextId);
        IsComplete = true;
        return null;
    }
}
