using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Muster.Testing;

namespace Muster.Tests.Commands;

/// <summary>Speaks HTTP with the admin socket of a server, as any program could.</summary>
sealed class AdminHttp : IDisposable
{
    readonly HttpClient _http;

    /// <summary>Connects to the socket in a data folder.</summary>
    public AdminHttp(string folder) => _http = new HttpClient(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(folder, "admin.sock")), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://localhost"), Timeout = TestClient.Patience };

    /// <summary>Sends a request; a body that is not null is JSON.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        string method, string path, string? body = null)
    {
        using var response = await RespondAsync(method, path, body);
        string text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    /// <summary>Sends a request; the response as it is.</summary>
    public async Task<HttpResponseMessage> RespondAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await _http.SendAsync(request);
    }

    /// <summary>Sends a request that must be refused; returns what is wrong with it.</summary>
    public async Task<string> RefusedAsync(HttpStatusCode status, string method, string path, string? body = null)
    {
        var (found, answer) = await SendAsync(method, path, body);
        Assert.True(found == status, $"{method} {path}: {found} {answer}");
        string text = answer.GetProperty("error").GetString()!;
        Assert.DoesNotContain('\n', text);
        return text;
    }

    /// <summary>Sends a request that must succeed.</summary>
    public async Task<JsonElement> DoneAsync(string method, string path, string? body = null)
    {
        var (status, answer) = await SendAsync(method, path, body);
        Assert.True((int)status is >= 200 and < 300, $"{method} {path}: {status} {answer}");
        return answer;
    }

    public void Dispose() => _http.Dispose();
}
