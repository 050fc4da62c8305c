using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

/// <summary>
/// Client state indication (XEP-0352): what may wait while nobody looks at the client. Presence and what merely
/// accompanies a conversation wait; words, requests and whatever changes what the client may do do not.
/// </summary>
public static class ClientState
{
    const string ChatStates = "http://jabber.org/protocol/chatstates";
    const string ChatMarkers = "urn:xmpp:chat-markers:0";
    const string Receipts = "urn:xmpp:receipts";

    /// <summary>Whether a stanza may wait until the client is active, or until something comes that may not.</summary>
    public static bool MayWait(Stanza stanza) => stanza switch
    {
        Presence presence => MayWait(presence),
        Message message => MayWait(message),
        _ => false,
    };

    static bool MayWait(Presence presence)
    {
        if (presence.Type is not (PresenceType.Available or PresenceType.Unavailable)) return false;
        // A room's word on the client's own place in it: entered, removed, renamed.
        return presence.Child(Namespaces.MucUser, "x") is not { } x || !HasStatus(x, MucStatus.Self);
    }

    static bool HasStatus(Element x, int code)
    {
        foreach (var status in x.Children(Namespaces.MucUser, "status"))
            if (int.TryParse(status.Attribute("code"), out int found) && found == code) return true;
        return false;
    }

    static bool MayWait(Message message)
    {
        if (message.IsError) return false;
        if (message.Type == MessageType.Headline) return message.Body is null;
        bool any = false;
        foreach (var child in message.Elements)
        {
            bool accompanies = child.Namespace is ChatStates or ChatMarkers or Receipts or Namespaces.Hints
                or Namespaces.StanzaIds or Namespaces.OccupantId || child.Is(Namespaces.Client, "thread");
            if (!accompanies) return false;
            any |= child.Namespace is ChatStates or ChatMarkers or Receipts;
        }
        return any;
    }
}

/// <summary>The stanzas that wait for an inactive client, oldest first. Of several presences of one address the newest
/// alone is kept, so what waits is bounded by who is there, and by a number.</summary>
sealed class WaitingStanzas(int max)
{
    readonly Dictionary<Jid, LinkedListNode<(SharedStanza Stanza, Jid To)>> _presences = [];
    readonly LinkedList<(SharedStanza Stanza, Jid To)> _all = [];

    /// <summary>Adds one. False when there is no room: what waits must be sent first.</summary>
    public bool TryAdd(SharedStanza stanza, Jid to)
    {
        if (stanza.Stanza is Presence presence)
        {
            if (_presences.Remove(presence.From, out var older)) _all.Remove(older);
            if (_all.Count >= max) return false;
            _presences[presence.From] = _all.AddLast((stanza, to));
            return true;
        }
        if (_all.Count >= max) return false;
        _all.AddLast((stanza, to));
        return true;
    }

    /// <summary>Takes all of them out.</summary>
    public IReadOnlyCollection<(SharedStanza Stanza, Jid To)> Take()
    {
        if (_all.Count == 0) return [];
        (SharedStanza, Jid)[] all = [.. _all];
        _all.Clear();
        _presences.Clear();
        return all;
    }
}
