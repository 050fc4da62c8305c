using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;

namespace Muster.Server.Http;

/// <summary>What the page needs to know to log in.</summary>
sealed record ChatSettings(string Domain, string RoomService, bool Registration);

/// <summary>Writes <see cref="ChatSettings"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatSettings))]
sealed partial class ChatJson : JsonSerializerContext;

/// <summary>
/// The web chat at <c>/chat</c>: a page of our own, built into the program, that starts Converse.js, whose files lie beside
/// the program. Without those files the page says how to get them.
/// </summary>
static class ChatPage
{
    const string Root = "/chat";

    /// <summary>The folder of Converse's files: <c>chat</c> beside the program.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "chat");

    /// <summary>Adds the page to the server's HTTP.</summary>
    public static void Use(IApplicationBuilder app, ChatSettings settings)
    {
        bool isBuilt = File.Exists(Path.Combine(Folder, "converse.min.js"));
        app.Use((http, next) =>
        {
            if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method)) return next(http);
            switch (http.Request.Path.Value)
            {
                case Root:
                    http.Response.Redirect($"{Root}/"); // the page's links are relative
                    return Task.CompletedTask;
                case $"{Root}/":
                    return Send(http, isBuilt ? "index.html" : "missing.html", "text/html");
                case $"{Root}/chat.js":
                    return Send(http, "chat.js", "text/javascript");
                case $"{Root}/settings.json":
                    http.Response.ContentType = "application/json";
                    return JsonSerializer.SerializeAsync(http.Response.Body, settings, ChatJson.Default.ChatSettings, http.RequestAborted);
                default:
                    return next(http);
            }
        });
        if (isBuilt) app.UseStaticFiles(Files());
    }

    static StaticFileOptions Files()
    {
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".wasm"] = "application/wasm";
        return new()
        {
            RequestPath = Root,
            FileProvider = new PhysicalFileProvider(Folder),
            ContentTypeProvider = types,
            // The files change only with the program: a browser asks again, and mostly hears that nothing changed.
            OnPrepareResponse = static context => context.Context.Response.Headers.CacheControl = "no-cache",
        };
    }

    static async Task Send(HttpContext http, string name, string type)
    {
        await using var page = typeof(ChatPage).Assembly.GetManifestResourceStream($"chat/{name}")!;
        http.Response.ContentType = $"{type}; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        await page.CopyToAsync(http.Response.Body, http.RequestAborted);
    }
}
