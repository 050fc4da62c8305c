using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

/// <summary>What came of an element that a client sent: exactly one of the four.</summary>
/// <param name="Stanza">A stanza to route, its <c>from</c> stamped with the full JID.</param>
/// <param name="Answer">An error stanza to write back.</param>
/// <param name="Error">A stream error to close with.</param>
/// <param name="Control">An element about the stream itself, which is no stanza: of stream management (XEP-0198) or the
/// client's state (XEP-0352).</param>
public readonly record struct Received(
    Stanza? Stanza = null, Element? Answer = null, StreamError? Error = null, Element? Control = null);
