using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Muster.Testing;

/// <summary>Collects what a server logs: a test can look, and an error that nobody expected fails it.</summary>
public sealed class TestLogs : ILoggerFactory
{
    readonly ConcurrentQueue<(LogLevel Level, EventId Id, string Text)> _lines = new();

    /// <summary>Lowest level kept.</summary>
    public LogLevel MinLevel { get; init; } = LogLevel.Debug;

    /// <summary>The lines so far.</summary>
    public IEnumerable<(LogLevel Level, EventId Id, string Text)> Lines => _lines;

    /// <summary>The lines of level Error and above.</summary>
    public IEnumerable<string> Errors => _lines.Where(line => line.Level >= LogLevel.Error).Select(line => line.Text);

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() { }

    sealed class Logger(TestLogs logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= logs.MinLevel;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            string text = $"{logLevel} {category}: {formatter(state, exception)}";
            logs._lines.Enqueue((logLevel, eventId, exception is null ? text : $"{text}\n{exception}"));
        }
    }
}
