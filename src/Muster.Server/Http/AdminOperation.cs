using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Muster.Server.Http;

/// <summary>One operation of the admin API, as data: the dispatcher goes by it, and so does its OpenAPI
/// description.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Template">Path and query in the manner of RFC 6570: <c>/api/users/{jid}{?after,max}</c>.</param>
/// <param name="Summary">One sentence: what it does.</param>
/// <param name="Takes">Shape of the request's body; null for none.</param>
/// <param name="Gives">Shape of the answer; null for none (204).</param>
/// <param name="Success">Status of the answer.</param>
/// <param name="Run">Does it and writes the answer.</param>
sealed record AdminOperation(
    string Method, string Template, string Summary, Type? Takes, Type? Gives, int Success, Func<AdminCall, Task> Run)
{
    readonly string[] _segments = PathOf(Template).Split('/');

    /// <summary>The path without the query: <c>/api/users/{jid}</c>.</summary>
    public string Path { get; } = PathOf(Template);

    /// <summary>The variable parts of the path.</summary>
    public IEnumerable<string> Variables =>
        _segments.Where(segment => segment.StartsWith('{')).Select(segment => segment[1..^1]);

    /// <summary>The parameters that the query may have.</summary>
    public string[] Queries { get; } = QueriesOf(Template);

    /// <summary>Reads the variable parts of a path; null when it is another one.</summary>
    /// <param name="path">The parts of the path, decoded.</param>
    public Dictionary<string, string>? Match(string[] path)
    {
        if (path.Length != _segments.Length) return null;
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < path.Length; i++)
        {
            string segment = _segments[i];
            if (segment.StartsWith('{')) found[segment[1..^1]] = path[i];
            else if (segment != path[i]) return null;
        }
        return found;
    }

    /// <summary>An operation that answers with a document that is JSON already.</summary>
    public static AdminOperation OfDocument(string method, string template, string summary, Func<byte[]> read) =>
        new(method, template, summary, null, typeof(JsonElement), StatusCodes.Status200OK, call =>
        {
            call.Http.Response.ContentType = "application/json; charset=utf-8";
            return call.Http.Response.Body.WriteAsync(read(), call.Cancel).AsTask();
        });

    /// <summary>An operation without body.</summary>
    public static AdminOperation Of<TAnswer>(
        string method, string template, string summary, Func<AdminCall, Task<TAnswer>> run) =>
        new(method, template, summary, null, typeof(TAnswer), StatusCodes.Status200OK,
            async call => await AdminApi.Write(call.Http, await run(call)));

    /// <summary>An operation without body and without answer.</summary>
    public static AdminOperation Of(string method, string template, string summary, Func<AdminCall, Task> run) =>
        new(method, template, summary, null, null, StatusCodes.Status204NoContent, run);

    /// <summary>An operation with a body.</summary>
    public static AdminOperation With<TBody, TAnswer>(string method, string template, string summary,
        Func<AdminCall, TBody, Task<TAnswer>> run, int success = StatusCodes.Status200OK) =>
        new(method, template, summary, typeof(TBody), typeof(TAnswer), success,
            async call => await AdminApi.Write(call.Http, await run(call, await call.Read<TBody>())));

    /// <summary>An operation with a body and without answer.</summary>
    public static AdminOperation With<TBody>(string method, string template, string summary,
        Func<AdminCall, TBody, Task> run, int success = StatusCodes.Status204NoContent) =>
        new(method, template, summary, typeof(TBody), null, success,
            async call => await run(call, await call.Read<TBody>()));

    static string PathOf(string template) => template.Split("{?")[0];

    static string[] QueriesOf(string template) =>
        template.Split("{?") is [_, var names] ? names.TrimEnd('}').Split(',') : [];
}
