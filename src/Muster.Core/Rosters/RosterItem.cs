using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Core.Rosters;

/// <summary>The subscription of a roster item (RFC 6121 §2.1.2.5). The numbers are on disk: frozen by a test.</summary>
[Flags]
public enum RosterSubscription
{
    /// <summary>Neither sees the other's presence.</summary>
    None = 0,
    /// <summary>The user sees the contact.</summary>
    To = 1,
    /// <summary>The contact sees the user.</summary>
    From = 2,
    /// <summary>Each sees the other.</summary>
    Both = 3,
}

/// <summary>What an account stores about one contact.</summary>
public sealed record RosterItem
{
    /// <summary>The contact's JID.</summary>
    public required Jid Jid { get; init; }
    /// <summary>The name that the user gave; "" for none.</summary>
    public string Name { get; init; } = "";
    /// <summary>The groups, in the order the client sent them.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
    /// <summary>The subscription.</summary>
    public RosterSubscription Subscription { get; init; }
    /// <summary>Pending out: the user asked and has no answer yet (<c>ask='subscribe'</c>).</summary>
    public bool PendingOut { get; init; }
    /// <summary>The user approved a request that has not come yet (RFC 6121 §3.4).</summary>
    public bool Approved { get; init; }
    /// <summary>Pending in: the contact's subscribe stanza, delivered again at each login until answered (RFC 6121
    /// §3.1.3); null for none.</summary>
    public ReadOnlyMemory<byte>? PendingIn { get; init; }
    /// <summary>Whether the user has the contact in the roster. False for one that only has a request pending: such an
    /// item is never shown in the roster (RFC 6121 §3.1.3, appendix A.1).</summary>
    public bool Listed { get; init; } = true;
    /// <summary>The roster version at which the item last changed; set by the store from the version saved
    /// with.</summary>
    public long Version { get; init; }

    /// <summary>Where the subscription stands, as the table of RFC 6121 appendix A sees it.</summary>
    public SubscriptionState State => new(Subscription, PendingOut, PendingIn is not null, Approved);

    /// <summary>The item as the user's clients see it (RFC 6121 §2.1.2).</summary>
    public Element ToElement() =>
        new Element(Namespaces.Roster, "item", Groups.Select(group => new Element(Namespaces.Roster, "group", group)))
            .With("jid", Jid.ToString())
            .With("name", Name.Length == 0 ? null : Name)
            .With("subscription", Subscription switch
            {
                RosterSubscription.To => "to",
                RosterSubscription.From => "from",
                RosterSubscription.Both => "both",
                _ => "none",
            })
            .With("ask", PendingOut ? "subscribe" : null)
            .With("approved", Approved ? "true" : null);
}
