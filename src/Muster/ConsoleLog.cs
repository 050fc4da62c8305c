using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Muster;

/// <summary>
/// Log lines on the error stream: time, level, area, text. Written by a thread of its own from a bounded queue, so that
/// a stream that nobody reads stops the log and not the server; what did not fit is counted in a line.
/// </summary>
sealed class ConsoleLog : ILoggerFactory
{
    const int QueueMax = 10_000;
    const string StanzaArea = "Muster.Stanzas";
    // Says at length, with a stack, what the start's one line for the operator says better.
    const string HostArea = "Microsoft.Extensions.Hosting.Internal.Host";

    readonly BlockingCollection<string> _lines = new(QueueMax);
    readonly TextWriter _output;
    readonly Thread _writer;
    readonly bool _logsStanzas;
    int _dropped;

    /// <summary>Starts to log.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="level">What is too fine is left out.</param>
    /// <param name="logsStanzas">Whether every stanza is logged, whatever the level.</param>
    public ConsoleLog(TextWriter output, LogLevel level, bool logsStanzas)
    {
        _output = output;
        _logsStanzas = logsStanzas;
        Level = level;
        _writer = new Thread(WriteLines) { IsBackground = true, Name = "log" };
        _writer.Start();
    }

    /// <summary>What is too fine is left out. May change at any time.</summary>
    public LogLevel Level { get; set; }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Area(this, categoryName);

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("there is one place for log lines");

    /// <summary>Writes what waits and ends.</summary>
    public void Dispose()
    {
        _lines.CompleteAdding();
        // A stream that nobody reads must not keep the process.
        if (_writer.Join(TimeSpan.FromSeconds(2))) _lines.Dispose();
    }

    bool Takes(string area, LogLevel level) => level != LogLevel.None && area != HostArea
        && (level >= Level || (_logsStanzas && area == StanzaArea))
        // The web server's own lines say nothing to who runs a chat server, but for its warnings.
        && (level >= LogLevel.Warning || area.StartsWith("Muster", StringComparison.Ordinal));

    void Take(string area, LogLevel level, string text, Exception? error)
    {
        var line = new StringBuilder();
        var now = TimeProvider.System.GetUtcNow();
        line.Append(now.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture))
            .Append(NameOf(level)).Append(' ').Append(area).Append(": ").Append(Terminal.Clean(text));
        if (error is not null) line.AppendLine().Append(error);
        try
        {
            if (!_lines.TryAdd(line.ToString())) Interlocked.Increment(ref _dropped);
        }
        catch (InvalidOperationException)
        {
            // Closed: the server has ended.
        }
    }

    void WriteLines()
    {
        foreach (string line in _lines.GetConsumingEnumerable())
        {
            try
            {
                _output.WriteLine(line);
                if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
                    _output.WriteLine($"{dropped} log lines were left out: they came faster than they are written");
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                return; // nobody reads any more
            }
        }
    }

    static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        LogLevel.Error => "error",
        _ => "fatal",
    };

    sealed class Area(ConsoleLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => log.Takes(name, logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) log.Take(name, logLevel, formatter(state, exception), exception);
        }
    }
}
