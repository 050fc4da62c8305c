using Muster.Core.Limits;
using Muster.Protocol.Addresses;

namespace Muster.Server.Net;

/// <summary>How fast each other domain may send: one shaper for all streams of a domain, so that more streams do not
/// make it faster.</summary>
/// <remarks>Whoever takes from a shaper locks it.</remarks>
sealed class DomainShapers
{
    sealed class Entry(int rate)
    {
        public Shaper Shaper { get; } = new(rate);
        public int Users { get; set; }
    }

    readonly Dictionary<(Jid Domain, int Rate), Entry> _entries = [];

    /// <summary>The shaper of a domain; to be given back with <see cref="Release"/>.</summary>
    public Shaper Take(Jid domain, int rate)
    {
        lock (_entries)
        {
            if (!_entries.TryGetValue((domain, rate), out var entry))
                _entries[(domain, rate)] = entry = new Entry(rate);
            entry.Users++;
            return entry.Shaper;
        }
    }

    /// <summary>One stream of the domain is over.</summary>
    public void Release(Jid domain, int rate)
    {
        lock (_entries)
        {
            if (_entries.TryGetValue((domain, rate), out var entry) && --entry.Users == 0)
                _entries.Remove((domain, rate));
        }
    }
}
