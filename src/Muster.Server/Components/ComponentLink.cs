using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Components;

/// <summary>What became of a stanza given to a component's stream.</summary>
enum ComponentSend
{
    /// <summary>It stands in the outbound buffer.</summary>
    Sent,
    /// <summary>The stream is over.</summary>
    Gone,
    /// <summary>The component does not read what it was sent before: the stream has been closed.</summary>
    Overflow,
}

/// <summary>The stream of an external component (XEP-0114), as those see it who have stanzas for it. The connection is
/// behind it; it calls back by <see cref="IComponentHost"/>.</summary>
/// <remarks>All methods may be called by any thread, and none waits or calls back at once.</remarks>
abstract class ComponentLink
{
    /// <summary>Name of the connection in logs.</summary>
    public abstract string Id { get; }

    /// <summary>Where it comes from, for people.</summary>
    public abstract string Address { get; }

    /// <summary>The domain that it serves.</summary>
    public abstract Jid Domain { get; }

    /// <summary>Who may send to it.</summary>
    public abstract Func<Jid, bool> MaySend { get; }

    /// <summary>Whether it takes the place of another one that serves the same domain.</summary>
    public abstract bool KicksOld { get; }

    /// <summary>Whether the stream is neither over nor about to be.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>Sends a stanza, its addresses as they are.</summary>
    public abstract ComponentSend Send(SharedStanza stanza);

    /// <summary>Closes the stream, with an error when there is one to tell.</summary>
    public abstract void Close(StreamError? error);
}

/// <summary>What the connections of components need of the server. It keeps Net from knowing who routes.</summary>
/// <remarks>Called without a lock of the connection's being held.</remarks>
interface IComponentHost
{
    /// <summary>A component has proved that it knows the secret, and takes its domain. From now on it gets
    /// stanzas.</summary>
    /// <returns>Why it cannot have it; null when it can.</returns>
    StreamError? Connect(ComponentLink link);

    /// <summary>Takes a stanza of a component, whose <c>from</c> is checked. Completes when responsibility is
    /// taken.</summary>
    ValueTask Receive(ComponentLink link, Stanza stanza);

    /// <summary>The connection of a component that had its domain is gone.</summary>
    void Ended(ComponentLink link, string reason);
}
