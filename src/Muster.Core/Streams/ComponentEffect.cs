using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>What the negotiation of a component's stream asks its connection to do, in order.</summary>
public abstract record ComponentEffect
{
    ComponentEffect() { }

    /// <summary>Write the stream's start.</summary>
    public sealed record Open(StreamHeader Header) : ComponentEffect;

    /// <summary>The component has proved that it knows the secret. Its domain is to be taken, then the answer
    /// written; or the stream closed, when the domain cannot be taken.</summary>
    /// <param name="Domain">What it serves.</param>
    /// <param name="Answer">Tells it so.</param>
    public sealed record Connected(Jid Domain, Element Answer) : ComponentEffect;

    /// <summary>A stanza, whose addresses are true.</summary>
    public sealed record Receive(Element Stanza) : ComponentEffect;

    /// <summary>Close the stream, with an error when there is one.</summary>
    public sealed record Close(StreamError? Error) : ComponentEffect;
}
