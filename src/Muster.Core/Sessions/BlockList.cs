using Muster.Protocol.Addresses;

namespace Muster.Core.Sessions;

/// <summary>The addresses that an account blocks (XEP-0191). Immutable: a change makes a new list.</summary>
public sealed class BlockList
{
    /// <summary>Blocks nobody.</summary>
    public static readonly BlockList Empty = new([]);

    readonly HashSet<Jid> _jids;

    /// <summary>Makes a list of full JIDs, bare JIDs, domains with resource and domains.</summary>
    public BlockList(IEnumerable<Jid> jids) => _jids = [.. jids];

    /// <summary>The blocked addresses.</summary>
    public IReadOnlyCollection<Jid> Jids => _jids;

    /// <summary>Whether stanzas from (or to) an address are blocked, by the matching order of XEP-0191 §2.1 (JID
    /// matching).</summary>
    public bool Blocks(Jid other)
    {
        if (_jids.Count == 0 || other.IsNone) return false;
        if (_jids.Contains(other) || _jids.Contains(other.Bare) || _jids.Contains(other.DomainJid)) return true;
        return other.IsFull && other.DomainJid.TryWithResource(other.Resource.ToString(), out var onDomain)
            && _jids.Contains(onDomain);
    }
}
