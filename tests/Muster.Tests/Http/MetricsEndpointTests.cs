using System.Net;
using Muster.Server;
using Muster.Server.Config;
using Muster.Server.Storage.Memory;
using Muster.Testing;
using Muster.Tests.Net;

namespace Muster.Tests.Http;

/// <summary>The metrics over HTTP.</summary>
public sealed class MetricsEndpointTests
{
    [Fact, Feature("MU-64", "MU-65", "MU-66")]
    public async Task TheCountersOfRoomsAreThereAtZeroFromTheStart()
    {
        await using var bench = await SocketBench.StartAsync();
        using var http = new HttpClient { BaseAddress = bench.Http };
        using var answer = await http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        string page = await answer.Content.ReadAsStringAsync();
        foreach (string name in (string[])["deep_hibernations", "process_recreations", "hibernations"])
        {
            Assert.Contains($"# TYPE mod_muc_{name}_count counter\n", page, StringComparison.Ordinal);
            Assert.Contains($"mod_muc_{name}_count{{host_type=\"localhost\"}} 0\n", page, StringComparison.Ordinal);
        }
        using var post = await http.PostAsync("/metrics", null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
        using var exometer = await http.GetAsync("/metrics/exometer");
        Assert.Equal(HttpStatusCode.NotFound, exometer.StatusCode);
    }

    [Theory, Feature("MU-70")]
    [InlineData("", "[localhost, ")]
    [InlineData("exometer = { all_metrics_are_global = true }", "[global, ")]
    [InlineData("exometer.all_metrics_are_global = false", "[localhost, ")]
    public async Task TheListingOfExometersNamesIsThereWhenConfigured(string table, string prefix)
    {
        if (table.Length == 0) table = "exometer = {}";
        string folder = Directory.CreateTempSubdirectory("muster-test-").FullName;
        var config = ConfigCheck.Parse($"[[listen.http]]\nport = 0\n[instrumentation]\n{table}").Config!;
        await using var host = await ServerHost.OpenAsync(config, folder,
            new ServerOverrides { Database = new MemoryDatabase() });
        await host.StartAsync();
        using var http = new HttpClient();
        string page = await http.GetStringAsync(new Uri($"{host.Addresses.Split(' ')[1]}/metrics/exometer"));
        Assert.Contains($"{prefix}mod_muc_hibernations, count] 0\n", page, StringComparison.Ordinal);
        await host.StopAsync();
        Directory.Delete(folder, recursive: true);
    }
}
