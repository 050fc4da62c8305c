namespace Muster.Server.Config;

/// <summary>Finds the known name that was probably meant.</summary>
static class Nearest
{
    /// <summary>The candidate with the smallest edit distance, the first of equals; null when there is none at
    /// all.</summary>
    public static string? Of(string word, IEnumerable<string> candidates)
    {
        string? best = null;
        int least = int.MaxValue;
        foreach (string candidate in candidates)
        {
            int distance = Distance(word, candidate);
            if (distance >= least) continue;
            least = distance;
            best = candidate;
        }
        return best;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that lead from one word to the
    /// other.</summary>
    public static int Distance(string a, string b)
    {
        const int LengthMax = 200;   // longer words are no typing mistakes; the table below stays small
        if (a.Length > LengthMax || b.Length > LengthMax) return Math.Max(a.Length, b.Length);
        var d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] =
                    Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
