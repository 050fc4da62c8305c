using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Muster.Server.Config;

namespace Muster.Server.Http;

/// <summary>What the page needs to know.</summary>
/// <param name="Domain">Domain of those who give none.</param>
/// <param name="RoomService">Its room service.</param>
/// <param name="Registration">Whether accounts can be made.</param>
/// <param name="PushKey">The key to subscribe to push messages with (VAPID); null when there are none.</param>
sealed record ChatSettings(string Domain, string RoomService, bool Registration, string? PushKey);

/// <summary>Writes <see cref="ChatSettings"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatSettings))]
sealed partial class ChatJson : JsonSerializerContext;

/// <summary>
/// The web chat at <c>/chat</c>: a page of our own, built into the program, that starts Converse.js, whose files lie
/// beside the program. Without those files the page says how to get them.
/// </summary>
static class ChatPage
{
    // The page runs and loads nothing from elsewhere: nobody else learns who chats here.
    const string ContentPolicy =
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; " +
        "img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self' ws: wss:; " +
        "frame-ancestors 'none'";

    static readonly FileExtensionContentTypeProvider Types = new();

    /// <summary>The folder of Converse's files: <c>chat</c> beside the program.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "chat");

    /// <summary>Adds the page to the server's HTTP.</summary>
    public static void Map(HttpRoutes routes, Func<ChatSettings> settings)
    {
        bool isBuilt = File.Exists(Path.Combine(Folder, "converse.min.js"));
        var files = isBuilt ? new PhysicalFileProvider(Folder) : null;
        routes.Map(HttpService.Chat, "/chat/{**path}", http =>
        {
            if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
                return Status(http, StatusCodes.Status405MethodNotAllowed);
            http.Response.Headers.XContentTypeOptions = "nosniff";
            // The files change only with the program: a browser asks again, and mostly hears that nothing changed.
            http.Response.Headers.CacheControl = "no-cache";
            switch (http.Request.RouteValues["path"] as string ?? "")
            {
                case "" when !http.Request.Path.Value!.EndsWith('/'):
                    http.Response.Redirect("/chat/"); // the page's links are relative
                    return Task.CompletedTask;
                case "":
                    return Send(http, isBuilt ? "index.html" : "missing.html", "text/html");
                // A service worker controls what lies beside and below it: the page.
                case ("chat.js" or "push.js" or "push-worker.js") and var script:
                    return Send(http, script, "text/javascript");
                // Some browsers notify only for pages that were put among the apps.
                case "app.webmanifest":
                    return Send(http, "app.webmanifest", "application/manifest+json");
                case "settings.json":
                    http.Response.ContentType = "application/json";
                    return JsonSerializer.SerializeAsync(http.Response.Body, settings(), ChatJson.Default.ChatSettings,
                        http.RequestAborted);
                case var path:
                    return SendFile(http, files?.GetFileInfo(path));
            }
        });
    }

    // The provider gives no file outside its folder, whatever the path says.
    static async Task SendFile(HttpContext http, IFileInfo? file)
    {
        if (file is not { Exists: true, IsDirectory: false })
        {
            await Status(http, StatusCodes.Status404NotFound);
            return;
        }
        string tag = string.Create(CultureInfo.InvariantCulture,
            $"\"{file.LastModified.ToUnixTimeSeconds():x}-{file.Length:x}\"");
        http.Response.Headers.ETag = tag;
        if (http.Request.Headers.IfNoneMatch == tag)
        {
            await Status(http, StatusCodes.Status304NotModified);
            return;
        }
        http.Response.ContentType = Types.TryGetContentType(file.Name, out string? type) ? type
            : "application/octet-stream";
        http.Response.ContentLength = file.Length;
        if (HttpMethods.IsGet(http.Request.Method)) await http.Response.SendFileAsync(file, http.RequestAborted);
    }

    static Task Status(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    static async Task Send(HttpContext http, string name, string type)
    {
        await using var page = typeof(ChatPage).Assembly.GetManifestResourceStream($"chat/{name}")!;
        http.Response.ContentType = $"{type}; charset=utf-8";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        http.Response.Headers.ContentSecurityPolicy = ContentPolicy;
        await page.CopyToAsync(http.Response.Body, http.RequestAborted);
    }
}
