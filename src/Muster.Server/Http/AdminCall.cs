using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;
using Microsoft.AspNetCore.Http;
using Muster.Protocol.Addresses;

namespace Muster.Server.Http;

/// <summary>One request of the admin API with its parameters. What cannot be meant so throws
/// <see cref="AdminException"/>.</summary>
/// <param name="http">The request.</param>
/// <param name="segments">The variable parts of the path, decoded.</param>
sealed class AdminCall(HttpContext http, IReadOnlyDictionary<string, string> segments)
{
    /// <summary>Set when whoever asked has gone.</summary>
    public CancellationToken Cancel => http.RequestAborted;

    /// <summary>The request.</summary>
    public HttpContext Http => http;

    /// <summary>A variable part of the path.</summary>
    public string Segment(string name) => segments[name];

    /// <summary>An address in the path.</summary>
    public Jid JidSegment(string name, string what) => JidOf(Segment(name), what);

    /// <summary>A parameter of the query; null when it is absent or empty.</summary>
    public string? Query(string name) => http.Request.Query[name] switch
    {
        [] => null,
        [var value] => string.IsNullOrEmpty(value) ? null : value,
        _ => throw AdminException.Invalid($"'{name}' is given more than once"),
    };

    /// <summary>A parameter that is the size of a page: from 1 to a bound, which it is when absent.</summary>
    public int Max(int bound)
    {
        if (Query("max") is not { } text) return bound;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int max) && max > 0
            ? Math.Min(max, bound)
            : throw AdminException.Invalid($"max is '{text}'; it must be a whole number above 0");
    }

    /// <summary>An address that somebody wrote.</summary>
    public static Jid JidOf(string text, string what) => Jid.TryParse(text, out var jid)
        ? jid
        : throw AdminException.Invalid($"'{text}' is no valid {what}");

    /// <summary>A text that goes into stanzas: bounded, and of characters that XML can carry.</summary>
    public static string TextOf(string text, string what, int bytesMax)
    {
        if (text.Length > bytesMax || Encoding.UTF8.GetByteCount(text) > bytesMax)
            throw AdminException.Invalid($"the {what} is longer than {bytesMax} bytes");
        for (int i = 0; i < text.Length; i++)
        {
            if (XmlConvert.IsXmlChar(text[i])) continue;
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i])) i++;
            else throw AdminException.Invalid($"the {what} has a character that XMPP cannot carry");
        }
        return text;
    }

    /// <summary>The body of the request.</summary>
    public async Task<T> Read<T>()
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, AdminApi.TypeOf<T>(), Cancel)
                ?? throw AdminException.Invalid("the body is null; an object is expected");
        }
        catch (JsonException e)
        {
            throw AdminException.Invalid($"the body is not what is expected here: {Explain(e)}");
        }
        catch (BadHttpRequestException e)
        {
            throw new AdminException(e.StatusCode, e.Message);
        }
    }

    // The text of the parser names our types and goes on with what is known already; the first sentence says it all.
    static string Explain(JsonException e)
    {
        string text = e.InnerException is JsonException inner ? inner.Message : e.Message;
        int end = text.IndexOf(" Path: ", StringComparison.Ordinal);
        if (end > 0) text = text[..end];
        int type = text.IndexOf(" for type '", StringComparison.Ordinal);
        if (type < 0) type = text.IndexOf(" to Muster.", StringComparison.Ordinal);
        if (type > 0 && text.IndexOf(' ', type + " for type '".Length) is > 0 and var rest)
            text = string.Concat(text.AsSpan(0, type), text.AsSpan(rest));
        return text.TrimEnd('.');
    }
}
