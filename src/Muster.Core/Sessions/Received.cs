using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

/// <summary>What came of an element that a client sent: exactly one of the three, or none when there is nothing to
/// do.</summary>
/// <param name="Stanza">A stanza to route, its <c>from</c> stamped with the full JID.</param>
/// <param name="Answer">An error stanza to write back.</param>
/// <param name="Error">A stream error to close with.</param>
public readonly record struct Received(Stanza? Stanza = null, Element? Answer = null, StreamError? Error = null);
