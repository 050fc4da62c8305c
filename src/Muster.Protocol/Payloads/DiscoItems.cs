using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>Something that belongs to an entity: a service, a room, an occupant (XEP-0030 §4).</summary>
/// <param name="Jid">Its address.</param>
/// <param name="Name">Name for people, or null.</param>
/// <param name="Node">Its node, or null.</param>
public sealed record DiscoItem(Jid Jid, string? Name = null, string? Node = null);

/// <summary>The items of an entity, or one page of them (XEP-0030 §4, §6.2).</summary>
public sealed class DiscoItems
{
    /// <summary>The items.</summary>
    public IReadOnlyList<DiscoItem> Items { get; init; } = [];
    /// <summary>Which page it is, or null when it is everything.</summary>
    public ResultSetPage? Page { get; init; }
    /// <summary>The node asked for, which the answer repeats, or null.</summary>
    public string? Node { get; init; }

    /// <summary>The <c>query</c> element.</summary>
    public Element ToElement() =>
        new Element(Namespaces.DiscoItems, "query", [.. Items.Select(ItemElement), Page?.ToElement()])
            .With("node", Node);

    /// <summary>Reads a <c>query</c>; items without an address are left out.</summary>
    public static DiscoItems Read(Element query)
    {
        var items = new List<DiscoItem>();
        foreach (var item in query.Children(Namespaces.DiscoItems, "item"))
        {
            if (Jid.TryParse(item.Attribute("jid"), out var jid))
                items.Add(new(jid, item.Attribute("name"), item.Attribute("node")));
        }
        return new()
        {
            Items = items,
            Page = query.Child(Namespaces.ResultSets, "set") is { } set ? ResultSetPage.Read(set) : null,
            Node = query.Attribute("node"),
        };
    }

    static Element ItemElement(DiscoItem item) => new Element(Namespaces.DiscoItems, "item")
        .With("jid", item.Jid.ToString())
        .With("name", item.Name)
        .With("node", item.Node);
}
