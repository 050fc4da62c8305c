using Muster.Protocol.Addresses;

namespace Muster.Core.Sessions;

/// <summary>The addresses that an account blocks (XEP-0191). Immutable: a change makes a new list.</summary>
public sealed class BlockList
{
    /// <summary>Blocks nobody.</summary>
    public static readonly BlockList Empty = new([]);

    readonly HashSet<Jid> _jids;
    readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _texts;

    /// <summary>Makes a list of full JIDs, bare JIDs, domains with resource and domains.</summary>
    public BlockList(IEnumerable<Jid> jids)
    {
        _jids = [.. jids];
        _texts = _jids.Select(jid => jid.ToString()).ToHashSet(StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The blocked addresses.</summary>
    public IReadOnlyCollection<Jid> Jids => _jids;

    /// <summary>Whether stanzas from (or to) an address are blocked: itself, its bare JID, its domain with its
    /// resource, or
    /// its domain (XEP-0191 §6). Looked up for every stanza, so it allocates nothing.</summary>
    public bool Blocks(Jid other)
    {
        if (_jids.Count == 0 || other.IsNone) return false;
        var text = other.ToString().AsSpan();
        if (_texts.Contains(text) || _texts.Contains(other.BareText) || _texts.Contains(other.Domain)) return true;
        return other is { IsFull: true, HasLocal: true } && _texts.Contains(text[(other.Local.Length + 1)..]);
    }
}
