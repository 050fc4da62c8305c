using System.Net;
using Microsoft.Extensions.Logging;
using Muster.Server.Config;
using Muster.Server.Telemetry;

namespace Muster.Server.Http;

/// <summary>An answer of a service that was asked.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body.</param>
readonly record struct HttpPoolAnswer(HttpStatusCode Status, byte[] Body);

/// <summary>A service that the server asks over HTTP: <c>outgoing_pools.http.NAME</c>. So many requests at a time, so
/// many that wait, each for a limited time.</summary>
sealed class HttpPool : IDisposable
{
    // [D] also where the configuration says "infinity".
    const int WaitingMax = 10_000;
    const int AnswerBytesMax = 64 * 1024;

    readonly string _name;
    readonly HttpPoolConfig _config;
    readonly TimeProvider _clock;
    readonly HttpPoolMeters _meters;
    readonly ILogger _log;
    readonly HttpClient _client;
    readonly SemaphoreSlim _turns;
    readonly CancellationTokenSource _stop = new();
    readonly int _requestsMax;
    int _requests;

    public HttpPool(string name, HttpPoolConfig config, TimeProvider clock, HttpPoolMeters meters, ILogger log)
    {
        (_name, _config, _clock, _meters, _log) = (name, config, clock, meters, log);
        _turns = new SemaphoreSlim(config.Workers);
        _requestsMax = config.Workers +
            (int)Math.Min(WaitingMax, (long)config.Workers * (config.MaxWorkerQueueLength ?? WaitingMax));
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = config.Workers,
            ConnectTimeout = config.Connection.RequestTimeout,
            // So that a change of the service's address in DNS is seen.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            // What is asked holds passwords: it goes to the service named and nowhere else.
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
        };
        _client = new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan, // ours go by the server's clock
            MaxResponseContentBufferSize = AnswerBytesMax,
        };
    }

    /// <summary>Asks with GET. Null when there was no answer: the failure is counted and logged.</summary>
    /// <param name="path">Path and query, put after the pool's path prefix as it is; never logged.</param>
    public async Task<HttpPoolAnswer?> Get(string path)
    {
        if (Interlocked.Increment(ref _requests) > _requestsMax)
        {
            Interlocked.Decrement(ref _requests);
            return Fail("full", "too many requests wait");
        }
        try
        {
            using var call = new CancellationTokenSource(_config.CallTimeout, _clock);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(call.Token, _stop.Token);
            await _turns.WaitAsync(linked.Token);
            try
            {
                return await Request(path, linked.Token);
            }
            finally
            {
                _turns.Release();
            }
        }
        catch (OperationCanceledException)
        {
            return Fail("timeout", "no answer in time");
        }
        catch (HttpRequestException error)
        {
            return Fail("failed", error.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _requests);
        }
    }

    /// <summary>Ends what is under way.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _client.Dispose();
    }

    async Task<HttpPoolAnswer?> Request(string path, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(_config.Connection.RequestTimeout, _clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        string prefix = _config.Connection.PathPrefix.TrimStart('/');
        using var answer = await _client.GetAsync(new Uri(_config.Connection.Host, $"/{prefix}{path}"), linked.Token);
        byte[] body = await answer.Content.ReadAsByteArrayAsync(linked.Token);
        _meters.Asked(_name, answer.StatusCode == HttpStatusCode.OK ? "ok" : "status");
        return new HttpPoolAnswer(answer.StatusCode, body);
    }

    HttpPoolAnswer? Fail(string outcome, string problem)
    {
        _meters.Asked(_name, outcome);
        _log.HttpPoolFailed(_name, problem);
        return null;
    }
}
