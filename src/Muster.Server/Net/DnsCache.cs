namespace Muster.Server.Net;

/// <summary>What was found in the DNS, for as long as it may be kept.</summary>
sealed class DnsCache(TimeProvider clock)
{
    readonly Lock _lock = new();
    readonly Dictionary<(string, DnsType), (DnsAnswer Answer, DateTimeOffset Until)> _known = [];

    /// <summary>Names that are kept.</summary>
    public int Count
    {
        get { lock (_lock) return _known.Count; }
    }

    /// <summary>What is known of a name, or null.</summary>
    public DnsAnswer? Find(string name, DnsType type)
    {
        lock (_lock)
        {
            if (!_known.TryGetValue((name, type), out var entry)) return null;
            if (entry.Until > clock.GetUtcNow()) return entry.Answer;
            _known.Remove((name, type));
            return null;
        }
    }

    /// <summary>Keeps an answer. When there is no room, what is too old goes, and then what will be first.</summary>
    public void Keep(string name, DnsType type, DnsAnswer answer, TimeSpan ttl, int max)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            if (_known.Count >= max)
            {
                foreach (var old in _known.Where(entry => entry.Value.Until <= now).ToList()) _known.Remove(old.Key);
                // A quarter at once, so that this is rare.
                int excess = _known.Count >= max ? Math.Max(1, max / 4) : 0;
                foreach (var next in _known.OrderBy(entry => entry.Value.Until).Take(excess).ToList())
                    _known.Remove(next.Key);
            }
            _known[(name, type)] = (answer, now + ttl);
        }
    }
}
