using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Muster.Interop.Recovery;

/// <summary>What happened in a run, with its time: written out when the run fails.</summary>
sealed class Diary
{
    readonly ConcurrentQueue<string> _lines = new();
    readonly ConcurrentQueue<string> _problems = new();
    readonly Stopwatch _watch = Stopwatch.StartNew();

    /// <summary>What must not have happened.</summary>
    public IReadOnlyCollection<string> Problems => _problems;

    /// <summary>Notes what somebody did or saw.</summary>
    public void Note(string who, string what) => _lines.Enqueue(string.Create(CultureInfo.InvariantCulture,
        $"{_watch.Elapsed.TotalSeconds:F3} {who} {what}"));

    /// <summary>Notes what must not happen.</summary>
    public void Problem(string who, string what)
    {
        Note(who, "PROBLEM " + what);
        _problems.Enqueue($"{who} {what}");
    }

    /// <summary>Writes all of it.</summary>
    public void Save(string file) => File.WriteAllLines(file, _lines);
}
