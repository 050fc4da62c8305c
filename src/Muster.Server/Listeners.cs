using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Muster.Server.Config;
using Muster.Server.Net;

namespace Muster.Server;

/// <summary>All ports of the server, opened together: Kestrel accepts for clients, and serves HTTP.</summary>
sealed class Listeners : IAsyncDisposable
{
    readonly WebApplication _app;

    Listeners(WebApplication app, string addresses)
    {
        _app = app;
        Addresses = addresses;
    }

    /// <summary>What stands open, with the actual ports: <c>c2s 127.0.0.1:5222 http
    /// http://127.0.0.1:5280</c>.</summary>
    public string Addresses { get; }

    /// <summary>Opens them all, or none.</summary>
    /// <exception cref="StartException">One cannot be opened.</exception>
    public static async Task<Listeners> OpenAsync(
        ServerConfig config, IReadOnlyList<ClientListener> clients, ILoggerFactory logs)
    {
        var opened = new List<(string Kind, ListenOptions Options)>();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var (listener, handler) in config.Listen.C2s.Zip(clients))
            {
                kestrel.Listen(listener.IpAddress, listener.Port, options =>
                {
                    opened.Add(("c2s", options));
                    options.Run(handler.OnConnectedAsync);
                });
            }
        });
        var app = builder.Build();
        try
        {
            await app.StartAsync();
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            await app.DisposeAsync();
            throw new StartException(Explain(error, opened), error);
        }
        return new Listeners(app, string.Join(' ', opened.Select(o => $"{o.Kind} {o.Options.IPEndPoint}")));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The connections have been closed by now; who is left is not waited for.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
    }

    static string Explain(Exception error, List<(string Kind, ListenOptions Options)> listeners)
    {
        if (error.InnerException is not AddressInUseException) return $"a port cannot be opened: {error.Message}";
        var (kind, options) = listeners.Find(l =>
            error.Message.Contains($"{l.Options.IPEndPoint}:", StringComparison.Ordinal));
        return $"{kind ?? "a"} port {options?.IPEndPoint} is taken by another program";
    }
}
