using System.Collections.Immutable;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Delivery;

/// <summary>Which messages of a room are pushed.</summary>
public enum PushRoomRule
{
    /// <summary>All.</summary>
    Always,
    /// <summary>Those that mention the user.</summary>
    Mentioned,
    /// <summary>None.</summary>
    Never,
}

/// <summary>What a user wants pushed: the children of <c>enable</c> of Tigase's push filters
/// (muc-offline-delivery.md §7).</summary>
public sealed class PushFilters
{
    /// <summary>Features that tell clients which filters there are.</summary>
    public const string Rooms = "tigase:push:filter:groupchat:0", Muted = "tigase:push:filter:muted:0",
        IgnoreUnknown = "tigase:push:filter:ignore-unknown:0", Priority = "tigase:push:priority:0";

    /// <summary>No wishes.</summary>
    public static PushFilters None { get; } = new();

    ImmutableDictionary<Jid, (PushRoomRule Rule, string? Nick)> _rooms =
        ImmutableDictionary<Jid, (PushRoomRule, string?)>.Empty;

    ImmutableHashSet<Jid> _muted = [];

    /// <summary>Whether strangers wake nobody.</summary>
    public bool IgnoresUnknown { get; private init; }

    /// <summary>Whether pushes say how urgent they are.</summary>
    public bool WantsPriority { get; private init; }

    /// <summary>Whether they say anything about rooms.</summary>
    public bool HasRooms => !_rooms.IsEmpty;

    /// <summary>Reads the children of <c>enable</c>; what is not understood is passed over.</summary>
    public static PushFilters Read(Element enable)
    {
        var filters = new PushFilters
        {
            IgnoresUnknown = enable.Child(IgnoreUnknown, "ignore-unknown") is not null,
            WantsPriority = enable.Child(Priority, "priority") is not null,
        };
        var rooms = filters._rooms.ToBuilder();
        foreach (var room in enable.Child(Rooms, "groupchat")?.Children(Rooms, "room") ?? [])
        {
            if (Jid.TryParse(room.Attribute("jid"), out var jid) && RuleOf(room.Attribute("allow")) is { } rule)
                rooms[jid.Bare] = (rule, room.Attribute("nick"));
        }
        filters._rooms = rooms.ToImmutable();
        filters._muted = [.. (enable.Child(Muted, "muted")?.Children(Muted, "item") ?? [])
            .Select(item => Jid.TryParse(item.Attribute("jid"), out var jid) ? jid.Bare : default)
            .Where(jid => !jid.IsNone)];
        return filters;
    }

    /// <summary>Whether a child of <c>enable</c> is one of these.</summary>
    public static bool IsFilter(Element child) =>
        child.Namespace is Rooms or Muted or IgnoreUnknown or Priority;

    /// <summary>What the user says of a room; null where it says nothing.</summary>
    public PushRoomRule? Of(Jid room) => _rooms.TryGetValue(room.Bare, out var found) ? found.Rule : null;

    /// <summary>Whether the user lets a message be pushed.</summary>
    /// <param name="message">The message.</param>
    /// <param name="user">The user's bare JID.</param>
    /// <param name="nick">The user's nick, where the message is of a room and the nick is known.</param>
    /// <param name="roster">The user's contacts; null where they are not known, and nobody counts as unknown.</param>
    public bool Allow(Message message, Jid user, string? nick, Roster? roster)
    {
        var from = message.From.Bare;
        if (_muted.Contains(from)) return false;
        bool isOfRoom = message.Type == MessageType.Groupchat || message.Child(Namespaces.MucUser, "x") is not null;
        if (!isOfRoom)
        {
            return !IgnoresUnknown || roster is null || from.SameBare(user) || from == user.DomainJid
                || roster.Find(from) is { Listed: true };
        }
        if (message.Type != MessageType.Groupchat || !_rooms.TryGetValue(from, out var found)) return true;
        return found.Rule switch
        {
            PushRoomRule.Never => false,
            PushRoomRule.Mentioned => IsMentioned(message, user, found.Nick ?? nick),
            _ => true,
        };
    }

    /// <summary>Whether a message of a room mentions a user: marked as such, or by its nick as a word.</summary>
    public static bool IsMentioned(Message message, Jid user, string? nick) =>
        Mentions.IsMarked(message, message.From.Bare, user, nick)
        || (nick is not null && message.Body is { } body && Mentions.HasWord(body, nick));

    static PushRoomRule? RuleOf(string? allow) => allow switch
    {
        "always" => PushRoomRule.Always,
        "mentioned" => PushRoomRule.Mentioned,
        "never" => PushRoomRule.Never,
        _ => null,
    };
}
