using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Muster.Server;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary>
/// Talks to the admin API through the socket in the data folder. When no server runs, one without any other door is
/// opened on its data in this process, so that both ways are one.
/// </summary>
sealed class AdminClient : IAsyncDisposable
{
    static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);
    static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(3);

    readonly HttpClient _http;
    readonly ServerHost? _host;

    AdminClient(HttpClient http, ServerHost? host)
    {
        _http = http;
        _host = host;
    }

    /// <summary>Whether the server runs in a process of its own.</summary>
    public bool IsRunning => _host is null;

    /// <summary>Connects to the running server.</summary>
    public static async Task<AdminClient> OpenRunningAsync(Invocation invocation) =>
        await TryConnectAsync(invocation.DataFolder)
        ?? throw new CommandException($"no server is running on the data folder {invocation.DataFolder}");

    /// <summary>Connects to the running server, or opens the data of a stopped one.</summary>
    /// <param name="invocation">Which.</param>
    /// <param name="makesData">Whether a data folder that is missing is made; otherwise it is taken for a typing
    /// mistake.</param>
    public static async Task<AdminClient> OpenAsync(Invocation invocation, bool makesData)
    {
        if (await TryConnectAsync(invocation.DataFolder) is { } running) return running;
        if (!makesData && !Directory.Exists(invocation.DataFolder))
            throw new CommandException($"there is no data folder {invocation.DataFolder} (--data DIR names another)");
        return await OpenStoppedAsync(invocation.LoadConfig(), invocation.DataFolder);
    }

    /// <summary>Opens the data of a stopped server.</summary>
    public static async Task<AdminClient> OpenStoppedAsync(Server.Config.ServerConfig config, string folder)
    {
        long deadline = Environment.TickCount64 + (long)LockPatience.TotalMilliseconds;
        while (true)
        {
            try
            {
                var host = await ServerHost.OpenAsync(config, folder, new ServerOverrides { OpensListeners = false });
                try
                {
                    await host.StartForAdminAsync();
                }
                catch
                {
                    await host.DisposeAsync();
                    throw;
                }
                return new AdminClient(ClientOf(AdminSocket.PathOf(folder)), host);
            }
            catch (StartException) when (Environment.TickCount64 < deadline && Directory.Exists(folder))
            {
                // A server that starts or ends right now, or another command: wait until it answers or is gone.
                if (!DataFolder.IsTaken(folder)) throw;
                await Task.Delay(100);
                if (await TryConnectAsync(folder) is { } running) return running;
            }
        }
    }

    /// <summary>Asks for something.</summary>
    public async Task<T> GetAsync<T>(string path) => Read<T>(await TransferAsync(HttpMethod.Get, path, null));

    /// <summary>Asks for something, as the JSON that scripts get.</summary>
    public Task<string> GetTextAsync(string path) => TransferAsync(HttpMethod.Get, path, null);

    /// <summary>Has something done; returns the answer as JSON, "" when there is none.</summary>
    public Task<string> SendAsync<TBody>(HttpMethod method, string path, TBody body) =>
        TransferAsync(method, path, new StringContent(
            JsonSerializer.Serialize(body, AdminApi.TypeOf<TBody>()), Encoding.UTF8, "application/json"));

    /// <summary>Has something done that needs no further words.</summary>
    public Task<string> SendAsync(HttpMethod method, string path) => TransferAsync(method, path, null);

    /// <summary>Reads an answer.</summary>
    public static T Read<T>(string json) => JsonSerializer.Deserialize(json, AdminApi.TypeOf<T>())!;

    /// <summary>Makes a path of the API; the values are escaped.</summary>
    /// <param name="path">Like <c>/api/rooms/{0}</c>.</param>
    /// <param name="segments">What comes into it.</param>
    public static string PathOf(string path, params string[] segments) =>
        string.Format(CultureInfo.InvariantCulture, path, [.. segments.Select(Uri.EscapeDataString)]);

    /// <summary>Adds parameters to a path; those that are null are left out.</summary>
    public static string WithQuery(string path, params (string Name, string? Value)[] parameters)
    {
        var given = parameters.Where(parameter => parameter.Value is not null)
            .Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}").ToList();
        return given.Count == 0 ? path : $"{path}?{string.Join('&', given)}";
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_host is not null) await _host.StopAsync(TimeSpan.Zero);
    }

    async Task<string> TransferAsync(HttpMethod method, string path, HttpContent? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request);
        }
        catch (HttpRequestException e)
        {
            throw new CommandException($"the server did not answer: {e.Message}");
        }
        using (response)
        {
            string text = await response.Content.ReadAsStringAsync();
            if (response.IsSuccessStatusCode) return text;
            throw new CommandException(ProblemOf(response.StatusCode, text));
        }
    }

    static string ProblemOf(HttpStatusCode status, string text)
    {
        try
        {
            return Read<AdminProblem>(text).Error;
        }
        catch (JsonException)
        {
            return $"the server answered {(int)status}";
        }
    }

    static async Task<AdminClient?> TryConnectAsync(string folder)
    {
        string path = AdminSocket.PathOf(folder);
        if (!File.Exists(path) || !AdminSocket.Fits(path)) return null;
        try
        {
            using var limit = new CancellationTokenSource(ConnectLimit);
            using var socket = await ConnectAsync(path, limit.Token);
            return new AdminClient(ClientOf(path), null);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new CommandException($"{path} is another user's: run this as the user that the server runs as");
        }
        catch (SocketException)
        {
            return null; // left behind by a server that is dead
        }
        catch (OperationCanceledException)
        {
            throw new CommandException($"the server on {folder} does not answer");
        }
    }

    static async Task<Socket> ConnectAsync(string path, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static HttpClient ClientOf(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) => new NetworkStream(await ConnectAsync(path, cancel), ownsSocket: true),
        UseProxy = false,
    })
    {
        BaseAddress = new Uri("http://localhost"),
        Timeout = Timeout.InfiniteTimeSpan, // a backup takes its time
    };
}
