using Microsoft.AspNetCore.Http;
using Muster.Server.Config;
using Muster.Server.Telemetry;

namespace Muster.Server.Http;

/// <summary>What the server has counted, at <c>/metrics</c> for Prometheus; and, when <c>instrumentation.exometer</c>
/// stands in the configuration, at <c>/metrics/exometer</c> as a list with its names.</summary>
static class MetricsEndpoint
{
    /// <summary>Maps the routes.</summary>
    public static void Map(HttpRoutes routes, MetricsPage page, Func<InstrumentationConfig> config)
    {
        routes.Map(HttpService.Metrics, "/metrics",
            http => Answer(http, MetricsPage.PrometheusType, page.ToPrometheus));
        if (!config().HasExometer) return;
        routes.Map(HttpService.Metrics, "/metrics/exometer",
            http => Answer(http, "text/plain; charset=utf-8", () => page.ToExometer(config().AllMetricsAreGlobal)));
    }

    static async Task Answer(HttpContext http, string type, Func<string> text)
    {
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
        {
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            http.Response.Headers.Allow = "GET, HEAD";
            return;
        }
        http.Response.ContentType = type;
        http.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsGet(http.Request.Method)) await http.Response.WriteAsync(text(), http.RequestAborted);
    }
}
