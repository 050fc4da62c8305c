using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Stanzas;

/// <summary>Types of iq (RFC 6120 §8.2.3).</summary>
public enum IqType
{
#pragma warning disable CS1591
    Get,
    Set,
    Result,
    Error,
#pragma warning restore CS1591
}

/// <summary>An info/query stanza: a request with one payload, or its answer (RFC 6120 §8.2.3).</summary>
public sealed class Iq : Stanza
{
    internal Iq(IqType type, Jid from, Jid to, string id, string? lang, object[] content)
        : base(from, to, id, lang, content) => Type = type;

    /// <summary>Makes an iq with its payload; null for an empty result.</summary>
    public Iq(IqType type, Jid from, Jid to, string id, Element? payload)
        : this(type, from, to, id, null, payload is null ? [] : [payload]) { }

    /// <summary>What kind of iq it is.</summary>
    public IqType Type { get; }
    /// <summary>The id; an iq always has one.</summary>
    public new string Id => base.Id!;
    /// <inheritdoc/>
    public override string Name => "iq";
    /// <inheritdoc/>
    public override bool IsError => Type == IqType.Error;
    /// <summary>True for get and set, which must be answered.</summary>
    public bool IsRequest => Type is IqType.Get or IqType.Set;

    /// <summary>The payload: the first child that is no error; null for an empty result.</summary>
    public Element? Payload
    {
        get
        {
            foreach (var item in ContentItems)
                if (item is Element child && !child.Is(Namespaces.Client, "error")) return child;
            return null;
        }
    }

    /// <inheritdoc/>
    public override string? TypeName => Type switch
    {
        IqType.Get => "get",
        IqType.Set => "set",
        IqType.Result => "result",
        _ => "error",
    };

    internal static IqType? TypeOf(string? type) => type switch
    {
        "get" => IqType.Get,
        "set" => IqType.Set,
        "result" => IqType.Result,
        "error" => IqType.Error,
        _ => null,
    };

    /// <summary>The result of this request: addresses swapped, id kept.</summary>
    public Iq Result(Element? payload = null) => new(IqType.Result, To, From, Id, payload);

    /// <inheritdoc/>
    public override Iq Readdressed(Jid from, Jid to) => new(Type, from, to, Id, Lang, ContentItems);
    /// <inheritdoc/>
    public override Iq WithId(string? id) => new(Type, From, To, id ?? Id, Lang, ContentItems);
    /// <inheritdoc/>
    public override Iq WithContent(params IEnumerable<Element?> content) =>
        new(Type, From, To, Id, Lang, ToContent(content));
    /// <inheritdoc/>
    public override Iq Refuse(StanzaError error, Jid from = default) =>
        new(IqType.Error, from.IsNone ? To : from, From, Id, null, ErrorContent(error));
}
