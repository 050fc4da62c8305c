using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Muster.Server.Config;
using Muster.Server.Http;
using Muster.Server.Loops;
using Muster.Server.Net;
using HttpListener = Muster.Server.Config.HttpListener;

namespace Muster.Server;

/// <summary>All ports of the server, opened together: Kestrel accepts for clients, and serves HTTP.</summary>
sealed class Listeners : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly LoopTransport? _loops;
    readonly IReadOnlyDictionary<HttpListener, string> _web;

    Listeners(
        WebApplication app, LoopTransport? loops, string addresses, IReadOnlyDictionary<HttpListener, string> web)
    {
        _app = app;
        _loops = loops;
        _web = web;
        Addresses = addresses;
    }

    /// <summary>What stands open, with the actual ports: <c>c2s 127.0.0.1:5222 s2s
    /// 127.0.0.1:5269 http http://127.0.0.1:5280</c>.</summary>
    public string Addresses { get; }

    /// <summary>Where a listener is reached from this machine: <c>http://127.0.0.1:5280</c>.</summary>
    public string AddressOf(HttpListener listener) => _web[listener];

    /// <summary>Opens them all, or none.</summary>
    /// <param name="clients">Listeners for clients over TCP, and who takes the connections.</param>
    /// <param name="peers">Listeners for other servers, and who takes the connections.</param>
    /// <param name="components">Listeners for components, and who takes the connections.</param>
    /// <param name="web">Listeners for HTTP, and who takes clients over WebSocket there.</param>
    /// <param name="adminSocket">Where the socket of the command line is made; null for none.</param>
    /// <param name="routes">What is served over HTTP.</param>
    /// <param name="logs">Where Kestrel logs.</param>
    /// <exception cref="StartException">One cannot be opened.</exception>
    public static async Task<Listeners> OpenAsync(
        IEnumerable<(C2sListener Config, ClientListener Handler)> clients,
        IEnumerable<(S2sListener Config, PeerListener Handler)> peers,
        IEnumerable<(ComponentListener Config, ComponentDoor Handler)> components,
        IEnumerable<(HttpListener Config, ClientListener Clients)> web, string? adminSocket, HttpRoutes routes,
        ILoggerFactory logs)
    {
        var opened = new List<(string Kind, ListenOptions Options)>();
        var pages = new Dictionary<HttpListener, (string Scheme, ListenOptions Options)>();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs).AddRoutingCore();
        builder.WebHost.UseSockets(sockets =>
        {
            sockets.CreateBoundListenSocket = AdminSocket.Bind;
            // What a connection reads is handled where it was read: a change of threads costs more than the work, and
            // no connection's task blocks its thread.
            sockets.UnsafePreferInlineScheduling = true;
        });
        var loops = LoopTransport.IsSupported ? new LoopTransport() : null;
        if (loops is not null) builder.Services.AddSingleton<IConnectionListenerFactory>(loops);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            if (adminSocket is not null) kestrel.ListenUnixSocket(adminSocket, options => ServeAdmin(options));
            foreach (var (config, handler) in clients)
                Open("c2s ", new LoopEndPoint(config.IpAddress, config.Port), handler);
            foreach (var (config, handler) in peers) Open("s2s ", EndPointOf(config), handler);
            foreach (var (config, handler) in web)
            {
                kestrel.Listen(config.IpAddress, config.Port, options =>
                {
                    string scheme = config.Tls.Mode == TlsMode.None ? "http://" : "https://";
                    opened.Add(($"http {scheme}", options));
                    pages.Add(config, (scheme, options));
                    ServeHttp(options, config, handler);
                });
            }
            foreach (var (config, handler) in components) Open("component ", EndPointOf(config), handler);

            void Open(string kind, IPEndPoint place, ConnectionHandler handler) =>
                kestrel.Listen(place, options =>
                {
                    opened.Add((kind, options));
                    options.Run(handler.OnConnectedAsync);
                });
        });
        var app = builder.Build();
        app.UseWebSockets();
        routes.Apply(app);
        try
        {
            await app.StartAsync();
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            await app.DisposeAsync();
            loops?.Dispose();
            throw new StartException(Explain(error, opened), error);
        }
        return new Listeners(app, loops, string.Join(' ', opened.Select(o => $"{o.Kind}{o.Options.IPEndPoint}")),
            pages.ToDictionary(page => page.Key, page => page.Value.Scheme + FromHere(page.Value.Options.IPEndPoint!)));
    }

    static IPEndPoint EndPointOf(Listener config) => new(config.IpAddress, config.Port);

    static string FromHere(IPEndPoint point) =>
        point.Address.Equals(IPAddress.Any) || point.Address.Equals(IPAddress.IPv6Any)
            ? $"localhost:{point.Port}"
            : point.ToString();

    static void ServeHttp(ListenOptions options, HttpListener config, ClientListener handler)
    {
        // HTTP/2 would need WebSockets of another kind (RFC 8441), which no XMPP client asks for.
        options.Protocols = HttpProtocols.Http1;
        var door = new HttpDoor(config);
        options.Use(next => connection =>
        {
            connection.Features.Set(door);
            return next(connection);
        });
        if (config.Tls.Mode == TlsMode.None) return;
        options.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => new(TlsUpgrade.ServerOptions(handler.Settings.Certificate!.Current, direct: false)),
        });
    }

    static void ServeAdmin(ListenOptions options)
    {
        options.Protocols = HttpProtocols.Http1;
        var door = new AdminDoor();
        options.Use(next => connection =>
        {
            connection.Features.Set(door);
            return next(connection);
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The connections have been closed by now; who is left is not waited for.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
        _loops?.Dispose();
    }

    static string Explain(Exception error, List<(string Kind, ListenOptions Options)> listeners)
    {
        if (error.InnerException is not AddressInUseException) return $"a port cannot be opened: {error.Message}";
        var (kind, options) = listeners.Find(l =>
            error.Message.Contains($"{l.Options.IPEndPoint}:", StringComparison.Ordinal));
        return options is null
            ? $"a port is taken by another program: {error.Message}"
            : $"port {options.IPEndPoint} ({kind.Split(' ')[0]}) is taken by another program";
    }
}
