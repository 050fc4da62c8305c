using Microsoft.Extensions.Logging;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <summary>Runs what features do again and again while the server runs. A run that fails is logged; the next comes all
/// the same.</summary>
sealed class BackgroundWork(
    IReadOnlyList<(TimeSpan Every, Func<CancellationToken, ValueTask> Work)> works, TimeProvider clock, ILogger log)
    : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    Task[] _loops = [];

    /// <summary>Starts all of them.</summary>
    public void Start() => _loops = [.. works.Select(work => RunAsync(work.Every, work.Work))];

    /// <summary>Stops them and waits for what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        _stop.Dispose();
    }

    async Task RunAsync(TimeSpan every, Func<CancellationToken, ValueTask> work)
    {
        while (true)
        {
            try
            {
                await Task.Delay(every, clock, _stop.Token);
                await work(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // One failure, of whatever kind, must not end what is to be done again and again.
            catch (Exception error)
#pragma warning restore CA1031
            {
                log.BackgroundFailed(error);
            }
        }
    }
}
