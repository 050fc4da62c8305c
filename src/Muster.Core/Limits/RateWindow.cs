namespace Muster.Core.Limits;

/// <summary>Lets each of many keys (addresses that register) do something so many times in a window of time.</summary>
/// <remarks>Bounded: it remembers a fixed number of keys. When all places are taken by keys whose window is still open,
/// the one whose window opened first is forgotten; so a flood from many addresses makes the limit looser, and never
/// locks everybody out. Not synchronised.</remarks>
/// <param name="max">How many times in a window; 0 for no limit.</param>
/// <param name="window">Length of the window, which opens with a key's first use.</param>
/// <param name="keysMax">Keys remembered.</param>
public sealed class RateWindow(int max, TimeSpan window, int keysMax)
{
    /// <summary>How many times in a window; 0 for no limit. May change: it is what the next use is measured
    /// by.</summary>
    public int Max { get; set; } = max;

    readonly Dictionary<string, (DateTimeOffset Since, int Count)> _keys = new(StringComparer.Ordinal);

    /// <summary>Takes one use; false when the key has none left.</summary>
    public bool TryTake(string key, DateTimeOffset now)
    {
        if (Max == 0) return true;
        if (_keys.TryGetValue(key, out var used) && now - used.Since < window)
        {
            if (used.Count >= Max) return false;
            _keys[key] = used with { Count = used.Count + 1 };
            return true;
        }
        _keys.Remove(key);
        if (_keys.Count >= keysMax) MakeRoom(now);
        _keys[key] = (now, 1);
        return true;
    }

    void MakeRoom(DateTimeOffset now)
    {
        foreach (var (key, used) in _keys)
            if (now - used.Since >= window) _keys.Remove(key);
        if (_keys.Count >= keysMax) _keys.Remove(_keys.MinBy(pair => pair.Value.Since).Key);
    }
}
