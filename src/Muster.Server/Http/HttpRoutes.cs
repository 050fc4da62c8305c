using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Muster.Server.Config;

namespace Muster.Server.Http;

/// <summary>The listener that a connection came in by; stands among the features of its requests.</summary>
sealed record HttpDoor(HttpListener Listener);

/// <summary>Everything that is served over HTTP: which service, at which path, by whom. A listener serves what its
/// configuration names.</summary>
sealed class HttpRoutes
{
    readonly List<(HttpService Service, string Pattern, RequestDelegate Handler)> _routes = [];

    /// <summary>Serves a path, for all methods.</summary>
    /// <param name="service">What it belongs to.</param>
    /// <param name="pattern">Route pattern.</param>
    /// <param name="handler">Who answers.</param>
    public void Map(HttpService service, string pattern, RequestDelegate handler) =>
        _routes.Add((service, pattern, handler));

    /// <summary>Makes endpoints of the routes.</summary>
    public void Apply(IEndpointRouteBuilder endpoints)
    {
        foreach (var (service, pattern, handler) in _routes)
            endpoints.Map(pattern, context => Offers(context, service) ? handler(context) : NotFound(context));
    }

    static bool Offers(HttpContext context, HttpService service) =>
        context.Features.Get<HttpDoor>() is { } door
            ? door.Listener.Services.Contains(service)
            : service == HttpService.Api && context.Features.Get<AdminDoor>() is not null;

    static Task NotFound(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
