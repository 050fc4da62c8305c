using System.Globalization;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Delivery;

/// <summary>Who is mentioned in a message (XEP-0372 §4.2).</summary>
public static class Mentions
{
    const string Namespace = "urn:xmpp:reference:0";
    const int ReferencesMax = 100;

    /// <summary>Whether a message of a room marks a mention of a user: by its address, by its address in the room, or
    /// by text of the body that is its nick.</summary>
    /// <param name="message">The message.</param>
    /// <param name="room">The room.</param>
    /// <param name="user">Bare JID.</param>
    /// <param name="nick">The nick that the user has in the room, or null.</param>
    public static bool IsMarked(Message message, Jid room, Jid user, string? nick)
    {
        int seen = 0;
        foreach (object item in message.Content)
        {
            if (item is not Element { Namespace: Namespace, Name: "reference" } reference) continue;
            if (++seen > ReferencesMax) return false;
            if (reference.Attribute("type") != "mention") continue;
            if (reference.Attribute("uri") is { } uri && Names(uri, room, user, nick)) return true;
            if (nick is not null && message.Body is { } body && Covered(body, reference) is { } text
                && IsNick(text, nick, room)) return true;
        }
        return false;
    }

    /// <summary>Whether a body has a nick in it as a word of its own: what people write whose clients mark
    /// nothing.</summary>
    public static bool HasWord(string body, string nick)
    {
        for (int at = 0; nick.Length > 0; at++)
        {
            at = body.IndexOf(nick, at, StringComparison.OrdinalIgnoreCase);
            if (at < 0) return false;
            if (!IsInWord(body, at, before: true) && !IsInWord(body, at + nick.Length, before: false)) return true;
        }
        return false;
    }

    // RFC 5122: xmpp:user@host, xmpp:room@service/nick; what follows ? is an action.
    static bool Names(string uri, Jid room, Jid user, string? nick)
    {
        if (!uri.StartsWith("xmpp:", StringComparison.OrdinalIgnoreCase)) return false;
        int end = uri.IndexOf('?', StringComparison.Ordinal);
        string text = Uri.UnescapeDataString(end < 0 ? uri[5..] : uri[5..end]);
        if (!Jid.TryParse(text, out var named)) return false;
        return named == user || (named.IsFull && named.SameBare(room) && nick is not null
            && named.Resource.SequenceEqual(nick));
    }

    static bool IsNick(string text, string nick, Jid room)
    {
        if (IsExactly(text)) return true;
        return text.Length > 1 && text[0] == '@' && IsExactly(text[1..]);

        bool IsExactly(string name) => name == nick
            || (room.TryWithResource(name, out var inRoom) && inRoom.Resource.SequenceEqual(nick));
    }

    /// <summary>The text from begin (inclusive) to end (exclusive), which count code points from 0 (XEP-0426
    /// §4); null when there is no such text.</summary>
    static string? Covered(string body, Element reference)
    {
        if (!TryNumber(reference, "begin", out int begin) || !TryNumber(reference, "end", out int end) || end <= begin)
            return null;
        int from = -1, at = 0, units = 0;
        foreach (var rune in body.EnumerateRunes())
        {
            if (at == begin) from = units;
            if (at == end) return body[from..units];
            at++;
            units += rune.Utf16SequenceLength;
        }
        return at == end && from >= 0 ? body[from..] : null;
    }

    static bool TryNumber(Element reference, string name, out int number) =>
        int.TryParse(reference.Attribute(name), NumberStyles.None, CultureInfo.InvariantCulture, out number);

    static bool IsInWord(string body, int at, bool before)
    {
        if (before ? at == 0 : at >= body.Length) return false;
        Rune rune;
        if (before) Rune.DecodeLastFromUtf16(body.AsSpan(0, at), out rune, out _);
        else Rune.DecodeFromUtf16(body.AsSpan(at), out rune, out _);
        return Rune.IsLetterOrDigit(rune);
    }
}
