using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>One row of a negotiation's table: what is offered when, and who takes the elements that belong to
/// it.</summary>
/// <remarks>Adding a step to stream negotiation (XEP-0388, XEP-0198 …) is adding a row.</remarks>
/// <typeparam name="TNegotiation">The state machine that the row belongs to.</typeparam>
/// <typeparam name="TItem">What the machine is handed with an element.</typeparam>
/// <typeparam name="TEffect">What it asks for.</typeparam>
/// <param name="Name">For logs and for printing the table.</param>
/// <param name="Requires">Marks that must be there.</param>
/// <param name="Forbids">Marks that must not be there.</param>
abstract record StreamFeature<TNegotiation, TItem, TEffect>(
    string Name, StreamProgress Requires, StreamProgress Forbids)
{
    /// <summary>The elements to advertise while the row is open (RFC 6120 §4.3.2); empty for a silent row.</summary>
    public Func<TNegotiation, IEnumerable<Element>> Offer { get; init; } = static _ => [];

    /// <summary>Whether an element that the other side sent belongs to this row.</summary>
    public Func<TNegotiation, Element, bool> Claims { get; init; } = static (_, _) => false;

    /// <summary>Takes such an element while the row is open.</summary>
    public Action<TNegotiation, Element, TItem, List<TEffect>> Receive { get; init; } = static (_, _, _, _) => { };

    /// <summary>Takes such an element while the row is closed: out of order.</summary>
    public Action<TNegotiation, Element, List<TEffect>> Refuse { get; init; } = static (_, _, _) => { };

    /// <summary>Whether the row is open at this point of the stream.</summary>
    public bool IsOpen(StreamProgress progress) => (progress & Requires) == Requires && (progress & Forbids) == 0;
}

/// <summary>A row of the table of a client's negotiation.</summary>
sealed record StreamFeature<TNegotiation>(string Name, StreamProgress Requires, StreamProgress Forbids)
    : StreamFeature<TNegotiation, NegotiationInput.Item, NegotiationEffect>(Name, Requires, Forbids);

/// <summary>A row of the table of a negotiation with another server.</summary>
sealed record PeerFeature<TNegotiation>(string Name, StreamProgress Requires, StreamProgress Forbids)
    : StreamFeature<TNegotiation, PeerInput.Item, PeerEffect>(Name, Requires, Forbids);
