using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Muster.Server.Features;
using Muster.Server.Rooms;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Http;

/// <summary>What the admin API acts on.</summary>
/// <param name="Services">The parts of the server.</param>
/// <param name="Rooms">The room services.</param>
/// <param name="Hosts">The served domains.</param>
/// <param name="Features">What is implemented.</param>
/// <param name="Addresses">What stands open.</param>
/// <param name="Reload">Reads the configuration again.</param>
/// <param name="Log">Where failures are told.</param>
sealed record AdminParts(
    Services Services, IReadOnlyList<RoomService> Rooms, IReadOnlyList<string> Hosts, IReadOnlyList<Feature> Features,
    Func<string> Addresses, Func<Task<ReloadView>> Reload, ILogger Log);

/// <summary>
/// The admin API: JSON over HTTP under <c>/api</c>. The command line uses it through a socket in the data folder that
/// only the server's own user can open, so there is one set of operations and one set of checks.
/// </summary>
/// <remarks>What an owner does to a room, an administrator does by the same stanza: the rules are the
/// room's.</remarks>
sealed partial class AdminApi
{
    /// <summary>Where it stands.</summary>
    public const string Root = "/api";

    const long BodyBytesMax = 1024 * 1024;

    readonly AdminParts _parts;
    readonly DateTimeOffset _startedAt;
    readonly Lazy<byte[]> _openApi;

    /// <summary>Makes it.</summary>
    public AdminApi(AdminParts parts)
    {
        _parts = parts;
        _startedAt = parts.Services.Clock.GetUtcNow();
        Operations =
        [
            .. ServerOperations(), .. UserOperations(), .. RoomOperations(), .. VisitorOperations(), .. MucOperations(),
        ];
        _openApi = new Lazy<byte[]>(() => OpenApi.Write(Operations));
    }

    /// <summary>Everything that it can do.</summary>
    public IReadOnlyList<AdminOperation> Operations { get; }

    /// <summary>Answers one request. Who asks has been checked.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                size.MaxRequestBodySize = BodyBytesMax;
            await Run(http);
        }
        catch (AdminException e)
        {
            await Problem(http, e.Status, e.Message);
        }
        catch (StorageException e)
        {
            await Problem(http, AdminException.StatusOf(e.Fault), e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException && !http.Response.HasStarted)
        {
            _parts.Log.AdminFailed(http.Request.Method, http.Request.Path, e);
            await Problem(http, StatusCodes.Status500InternalServerError, "the server failed; its log says why");
        }
    }

    /// <summary>Writes a refusal.</summary>
    public static Task Problem(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        return Write(http, new AdminProblem(text));
    }

    internal static Task Write<T>(HttpContext http, T value)
    {
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        return JsonSerializer.SerializeAsync(http.Response.Body, value, TypeOf<T>(), http.RequestAborted);
    }

    internal static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)AdminJson.Default.GetTypeInfo(typeof(T))!;

    Task Run(HttpContext http)
    {
        string[] path = PathOf(http);
        string method = http.Request.Method;
        var methods = new List<string>();
        foreach (var operation in Operations)
        {
            if (operation.Match(path) is not { } segments) continue;
            if (operation.Method != method)
            {
                methods.Add(operation.Method);
                continue;
            }
            foreach (string name in http.Request.Query.Keys)
                if (!operation.Queries.Contains(name)) throw AdminException.Invalid(Unknown(name, operation.Queries));
            http.Response.StatusCode = operation.Success;
            return operation.Run(new AdminCall(http, segments));
        }
        if (methods.Count == 0) throw AdminException.NotFound($"there is no {http.Request.Path}");
        http.Response.Headers.Allow = string.Join(", ", methods);
        throw new AdminException(StatusCodes.Status405MethodNotAllowed,
            $"{http.Request.Path} takes {string.Join(", ", methods)}, not {method}");
    }

    static string Unknown(string name, string[] known) => known.Length == 0
        ? $"no parameter '{name}' is known here, and no other"
        : $"no parameter '{name}' is known here; there are: {string.Join(", ", known)}";

    // From the request line, as elsewhere an encoded slash of a resource is decoded, or is not, before the path is cut.
    static string[] PathOf(HttpContext http)
    {
        string target = http.Features.Get<IHttpRequestFeature>()!.RawTarget;
        return [.. target.Split('?')[0].Split('/').Select(Uri.UnescapeDataString)];
    }
}
