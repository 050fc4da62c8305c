using System.Text.Json;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace Muster.Server.Http;

/// <summary>XEP-0156: tells clients, those in browsers above all, where the WebSocket is.</summary>
static class HostMeta
{
    /// <summary>Paths of the two forms.</summary>
    public const string XmlPath = "/.well-known/host-meta", JsonPath = "/.well-known/host-meta.json";

    const string WebSocketRelation = "urn:xmpp:alt-connections:websocket";
    static readonly XNamespace Xrd = "http://docs.oasis-open.org/ns/xri/xrd-1.0";

    /// <summary>Answers with the XRD document (RFC 6415 §3).</summary>
    /// <param name="context">The request.</param>
    /// <param name="publicUrl">Where the world reaches the listener; null goes by what the request says.</param>
    public static Task HandleXmlAsync(HttpContext context, string? publicUrl)
    {
        var link = new XElement(Xrd + "Link",
            new XAttribute("rel", WebSocketRelation), new XAttribute("href", WebSocketUrl(context, publicUrl)));
        string document = new XElement(Xrd + "XRD", link).ToString(SaveOptions.DisableFormatting);
        return AnswerAsync(context, "application/xrd+xml", $"<?xml version='1.0' encoding='utf-8'?>{document}");
    }

    /// <summary>Answers with the JSON form (RFC 6415 appendix A).</summary>
    public static Task HandleJsonAsync(HttpContext context, string? publicUrl)
    {
        string url = JsonEncodedText.Encode(WebSocketUrl(context, publicUrl)).ToString();
        string document = $$"""{"links":[{"rel":"{{WebSocketRelation}}","href":"{{url}}"}]}""";
        return AnswerAsync(context, "application/json", document);
    }

    static Task AnswerAsync(HttpContext context, string type, string body)
    {
        // XEP-0156 §3: pages of other origins must be able to read it.
        context.Response.Headers.AccessControlAllowOrigin = "*";
        context.Response.ContentType = $"{type}; charset=utf-8";
        return context.Response.WriteAsync(body);
    }

    static string WebSocketUrl(HttpContext context, string? publicUrl)
    {
        string web = publicUrl ?? $"{context.Request.Scheme}://{context.Request.Host}";
        return $"ws{web.AsSpan("http".Length)}/ws";
    }
}
