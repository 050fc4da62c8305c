using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Streams;

/// <summary>The rules for streams of external components (XEP-0114).</summary>
public sealed record ComponentPolicy
{
    /// <summary>What components prove that they know, as text.</summary>
    public required string Secret { get; init; }

    /// <summary>Why a component may not serve a domain, or null: the domain is served here already, or is not among
    /// those that components may serve.</summary>
    public required Func<Jid, StreamError?> ProblemOf { get; init; }

    /// <summary>The domain that speaks where the component named none that it may serve (RFC 6120 §4.9.1.3).</summary>
    public required Jid DefaultHost { get; init; }

    /// <summary>Whether a component may send from its own domain only. XEP-0114 §3 wants that.</summary>
    public bool ChecksFrom { get; init; } = true;
}
