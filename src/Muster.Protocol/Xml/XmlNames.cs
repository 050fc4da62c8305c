using System.Buffers.Binary;
using System.Text;

namespace Muster.Protocol.Xml;

/// <summary>
/// The strings that streams are full of, found by their bytes, so that reading a name that everybody uses allocates
/// nothing. A table made once and never changed: what a peer sends can neither grow nor crowd it.
/// </summary>
static class XmlNames
{
    const int BucketBits = 10;

    static readonly string[] Known =
    [
        // prefixes and what streams are made of
        "stream", "xml", "xmlns", "db", "lang", "version", "from", "to", "id", "type", "features", "error", "text",
        "starttls", "proceed", "failure", "required", "optional", "open", "close", "challenge", "response", "success",
        "abort", "auth", "mechanism", "mechanisms", "bind", "resource", "jid", "session",
        "a", "r", "h", "enable", "enabled", "resume", "resumed", "resumption", "previd", "max", "sm",
        // stanzas, their children and their types
        "message", "presence", "iq", "body", "subject", "thread", "parent", "show", "status", "priority",
        "chat", "groupchat", "headline", "normal", "get", "set", "result", "available", "unavailable", "subscribe",
        "subscribed", "unsubscribe", "unsubscribed", "probe", "away", "xa", "dnd", "en", "by", "code",
        // payloads
        "query", "item", "items", "node", "feature", "identity", "category", "name", "var", "field", "value", "option",
        "form", "submit", "cancel", "hidden", "title", "instructions", "x", "y", "c", "hash", "ver", "ext", "ping",
        "group", "subscription", "ask", "both", "none", "remove", "time", "tzo", "utc", "delay", "stamp", "reason",
        "nick", "password", "history", "maxchars", "maxstanzas", "seconds", "since", "affiliation", "role", "actor",
        "owner", "admin", "member", "outcast", "moderator", "participant", "visitor", "invite", "decline", "continue",
        "destroy", "configure", "url", "desc", "data", "photo", "vCard", "update", "FN", "NICKNAME", "PHOTO",
        "TYPE", "BINVAL", "first", "last", "index", "count", "before", "after", "start", "end", "with", "queryid",
        "fin", "complete", "forwarded", "received", "sent", "private", "active", "inactive", "composing", "paused",
        "gone", "request", "markable", "displayed", "acknowledged", "origin-id", "stanza-id", "occupant-id",
        "replace", "reply", "reactions", "reaction", "retract", "apply-to", "fallback", "store", "no-store", "no-copy",
        "no-permanent-store", "encryption", "encrypted", "header", "payload", "keys", "key", "iv", "sid", "rid",
        "pubsub", "event", "publish", "publish-options", "conference", "autojoin", "storage", "list", "block",
        "unblock", "blocklist", "username", "registered", "email", "true", "false", "1", "0", "1.0", "2.0", "UTF-8",
        // namespaces
        Namespaces.Client, Namespaces.Server, Namespaces.Component, Namespaces.Streams, Namespaces.StreamErrors,
        Namespaces.StanzaErrors, Namespaces.Tls, Namespaces.Sasl, Namespaces.Bind, Namespaces.Session,
        Namespaces.Dialback, Namespaces.Framing, Namespaces.Xml, Namespaces.Roster, Namespaces.DiscoInfo,
        Namespaces.DiscoItems, Namespaces.DataForms, Namespaces.ResultSets, Namespaces.Delay, Namespaces.StanzaIds,
        Namespaces.Muc, Namespaces.MucUser, Namespaces.MucAdmin, Namespaces.MucOwner, Namespaces.DirectInvitation,
        Namespaces.Ping, Namespaces.Register, Namespaces.VcardTemp, Namespaces.OccupantId, Namespaces.Hints,
        "vcard-temp:x:update", "jabber:iq:auth", "jabber:iq:private", "jabber:iq:last", "jabber:iq:version",
        "jabber:x:oob", "jabber:x:encrypted", "http://jabber.org/protocol/caps",
        "http://jabber.org/protocol/chatstates",
        "http://jabber.org/protocol/nick", "http://jabber.org/protocol/pubsub",
        "http://jabber.org/protocol/pubsub#event", "http://jabber.org/protocol/pubsub#owner",
        "http://jabber.org/protocol/commands", "http://jabber.org/protocol/muc#request",
        "http://jabber.org/features/iq-register", "urn:xmpp:sm:3", "urn:xmpp:csi:0", "urn:xmpp:carbons:2",
        "urn:xmpp:forward:0", "urn:xmpp:mam:2", "urn:xmpp:blocking", "urn:xmpp:push:0", "urn:xmpp:time",
        "urn:xmpp:receipts", "urn:xmpp:chat-markers:0", "urn:xmpp:message-correct:0", "urn:xmpp:reply:0",
        "urn:xmpp:reactions:0", "urn:xmpp:message-retract:1", "urn:xmpp:fallback:0", "urn:xmpp:styling:0",
        "urn:xmpp:eme:0", "urn:xmpp:sasl:2", "urn:xmpp:bind:0", "urn:xmpp:avatar:metadata",
        "urn:xmpp:avatar:data", "urn:xmpp:bookmarks:1", "urn:xmpp:http:upload:0",
        "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2",
    ];

    struct Entry
    {
        public string Text;
        public byte[] Bytes;
        public int Next; // index of the next entry of the bucket, -1 at its end
    }

    static readonly Entry[] Entries;
    static readonly short[] Buckets = new short[1 << BucketBits]; // index of the first entry + 1

    /// <summary>No text in the table is longer.</summary>
    static readonly int BytesMax;

    static XmlNames()
    {
        Entries = new Entry[Known.Length];
        for (int i = 0; i < Known.Length; i++)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(Known[i]);
            ref short bucket = ref Buckets[BucketOf(bytes)];
            Entries[i] = new Entry { Text = Known[i], Bytes = bytes, Next = bucket - 1 };
            bucket = (short)(i + 1);
            BytesMax = Math.Max(BytesMax, bytes.Length);
        }
    }

    /// <summary>The string of the given UTF-8 bytes if it is one of the known ones, else null.</summary>
    public static string? Find(ReadOnlySpan<byte> bytes)
    {
        if ((uint)(bytes.Length - 1) >= (uint)BytesMax) return bytes.IsEmpty ? "" : null;
        for (int i = Buckets[BucketOf(bytes)] - 1; i >= 0; i = Entries[i].Next)
            if (bytes.SequenceEqual(Entries[i].Bytes)) return Entries[i].Text;
        return null;
    }

    /// <summary>The string of the given bytes, or null when they are not UTF-8.</summary>
    public static string? Get(ReadOnlySpan<byte> bytes) => Find(bytes) ?? XmlCharacters.Decode(bytes);

    // The length with the first and last bytes: what is alike in namespaces stands in the middle.
    static int BucketOf(ReadOnlySpan<byte> bytes)
    {
        ulong first, last;
        if (bytes.Length >= 8)
        {
            first = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            last = BinaryPrimitives.ReadUInt64LittleEndian(bytes[^8..]);
        }
        else if (bytes.Length >= 4)
        {
            first = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            last = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]);
        }
        else
        {
            first = bytes[0];
            last = (uint)(bytes[^1] << 8 | bytes[bytes.Length >> 1]);
        }
        ulong mixed = (first + (uint)bytes.Length) * 0x9E3779B97F4A7C15 ^ last * 0xC2B2AE3D27D4EB4F;
        return (int)(mixed * 0x9E3779B97F4A7C15 >> (64 - BucketBits));
    }
}
