using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Muster.Compare;

/// <summary>A figure as the generator prints it.</summary>
sealed record Figure(string Name, double? Cost, string Unit, long Count, double Seconds, double? Median, double? P99,
    string? Problem);

/// <summary>Something the generator does to a server.</summary>
/// <param name="Name">What it is called here.</param>
/// <param name="Arguments">The arguments of <c>muster bench</c>.</param>
/// <param name="Quick">The same, shorter.</param>
/// <param name="Prefix">Begin of the names of its figures, where others have the same names.</param>
/// <param name="IsArchiving">On a server that archives.</param>
/// <param name="UsesTls">Over TLS.</param>
sealed record Work(string Name, string Arguments, string Quick, string Prefix = "", bool IsArchiving = false,
    bool UsesTls = false);

/// <summary>Runs everything and shows what came out.</summary>
static class Comparison
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    const string Short = " --seconds 1 --warm-up 1";

    static readonly Work[] Plan =
    [
        new("rooms", "rooms --sizes 10,100,1000", "rooms --sizes 10,100" + Short),
        new("one at a time", Hundred("--senders 1"), Hundred("--senders 1") + Short, "one at a time: "),
        new("pipelined", Hundred("--window 8"), Hundred("--window 8") + Short, "window 8: "),
        new("slow", Hundred("--rate 20"), Hundred("--rate 20") + Short, "20 messages a second: "),
        new("managed", Hundred("--sm"), Hundred("--sm") + Short, "stream management: "),
        new("joins", "joins --sizes 200,500", "joins --sizes 200"),
        new("pairs", "pairs --sizes 1,64", "pairs --sizes 1,64 --seconds 1"),
        new("logins", "logins", "logins --seconds 1"),
        new("SCRAM", "logins --mechanism SCRAM-SHA-1", "logins --mechanism SCRAM-SHA-1 --seconds 1"),
        new("resume", "resume --count 300", "resume --count 100"),
        new("idle", "idle --count 2000", "idle --count 500"),
        new("idle, managed", "idle --count 2000 --sm", "idle --count 500 --sm", "stream management: "),
        new("idle rooms", "rooms-idle --count 5000", "rooms-idle --count 500"),
        new("archive", Hundred(""), Hundred("") + Short, "archive on: ", IsArchiving: true),
        new("TLS rooms", Hundred(""), Hundred("") + Short, "TLS: ", UsesTls: true),
        new("TLS idle", "idle --count 1000", "idle --count 300", "TLS: ", UsesTls: true),
    ];

    static readonly string[] Servers = ["muster", "prosody", "prosody-best", "ejabberd"];

    static string Hundred(string how) => $"rooms --sizes 100 {how}".TrimEnd();

    /// <summary>Runs what was asked for.</summary>
    /// <returns>The exit code: 1 when a server delivered wrongly.</returns>
    public static async Task<int> RunAsync(Options options)
    {
        string program = Environment.GetEnvironmentVariable("MUSTER_PROGRAM")
            ?? throw new InvalidOperationException("MUSTER_PROGRAM names the program to measure");
        var results = new Results();
        var watch = Stopwatch.StartNew();
        for (int run = 0; run < options.Runs; run++)
        {
            foreach (string server in Servers.Where(name => options.Only is [] || options.Only.Contains(name)))
                foreach (bool isArchiving in (bool[])[false, true])
                    await MeasureAsync(program, server, isArchiving, run, options, results);
            if (options.Only is [] || options.Only.Contains("floor")) await MeasureFloorAsync(run, options, results);
        }
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Out))!);
        await File.WriteAllTextAsync(options.Out, JsonSerializer.Serialize(results.All, Json));
        Show(results);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bench: {options.Runs} run(s) of each, " +
            $"{watch.Elapsed.TotalMinutes:0.0} minutes; all figures in {options.Out}"));
        return results.All.Any(result => result.Figure.Problem is not null) ? 1 : 0;
    }

    static async Task MeasureAsync(
        string program, string name, bool isArchiving, int run, Options options, Results results)
    {
        var works = Plan.Where(work => work.IsArchiving == isArchiving && (options.Works is []
            || options.Works.Any(begin => work.Name.StartsWith(begin, StringComparison.Ordinal)))).ToList();
        if (works.Count == 0) return;
        await using ServerUnderTest server = name switch
        {
            "muster" => new MusterServer(program, isArchiving),
            "ejabberd" => new EjabberdServer(isArchiving),
            _ => new ProsodyServer(name == "prosody-best", isArchiving),
        };
        Progress(run, name, "start");
        await server.StartAsync();
        if (!isArchiving)
            results.Add(run, name, new("start to first connection", server.StartTime.TotalMilliseconds, "ms", 1,
                server.StartTime.TotalSeconds, null, null, null));
        await GenerateAsync(program, server, new("accounts", "register", "register"), options);
        foreach (var work in works)
        {
            Progress(run, name, work.Name);
            foreach (var figure in await GenerateAsync(program, server, work, options))
            {
                // Entering is measured by the work that is about it.
                if (work.Name != "joins" && figure.Name.EndsWith("enter one room", StringComparison.Ordinal)) continue;
                results.Add(run, name, figure with { Name = work.Prefix + figure.Name });
            }
        }
    }

    static async Task<List<Figure>> GenerateAsync(string program, ServerUnderTest server, Work work, Options options)
    {
        int port = work.UsesTls ? server.TlsPort : server.Port;
        var start = new ProcessStartInfo("taskset",
        [
            "-c", "1", program, "bench", .. (options.IsQuick ? work.Quick : work.Arguments).Split(' '), "--json",
            "--port", port.ToString(CultureInfo.InvariantCulture),
            "--pid", server.ProcessId.ToString(CultureInfo.InvariantCulture),
            .. work.UsesTls ? (string[])["--tls"] : [],
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        // One core has no other thread to hand the work to.
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1";
        using var generator = Process.Start(start)!;
        var error = generator.StandardError.ReadToEndAsync();
        string output = await generator.StandardOutput.ReadToEndAsync();
        await generator.WaitForExitAsync();
        if (output.Length > 0) return JsonSerializer.Deserialize<List<Figure>>(output, Json)!;
        string problem = (await error).Trim();
        return [new(work.Arguments, null, "", 0, 0, null, null, problem.Length == 0 ? "no answer" : problem)];
    }

    static async Task MeasureFloorAsync(int run, Options options, Results results)
    {
        if (options.Works is not [] && !options.Works.Contains("rooms")) return;
        Progress(run, "floor", "rooms");
        long copies = options.IsQuick ? 200_000 : 1_000_000;
        foreach (int size in options.IsQuick ? (int[])[10, 100] : [10, 100, 1000])
        {
            foreach (var (together, name) in ((int, string)[])[(1, "floor"), (10, "floor-coalesced")])
                results.Add(run, name, new(string.Create(CultureInfo.InvariantCulture, $"room of {size}"),
                    await Floor.MeasureAsync(size, together, copies), "us per copy", copies, 0, null, null, null));
        }
    }

    static void Progress(int run, string server, string work) =>
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bench: run {run + 1}, {server}: {work}"));

    static void Show(Results results)
    {
        string[] servers = [.. results.All.Select(result => result.Server).Distinct()];
        var table = new Table { Border = TableBorder.Markdown };
        table.AddColumn("figure").AddColumn("unit");
        foreach (string server in servers) table.AddColumn(server);
        bool isCompared = servers.Contains("muster") && servers.Length > 1;
        if (isCompared) table.AddColumn("of the better peer").AddColumn("p99 ms, Muster / better peer");
        foreach (string figure in results.All.Select(result => result.Figure.Name).Distinct())
        {
            var cells = new List<string> { figure, results.UnitOf(figure) };
            cells.AddRange(servers.Select(server => results.Cell(server, figure)));
            if (isCompared) cells.AddRange([results.Ratio(figure), results.Latencies(figure)]);
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        console.Profile.Width = 400;
        console.Write(table);
        foreach (var wrong in results.All.Where(result => result.Figure.Problem is not null))
            Console.WriteLine($"bench: {wrong.Server}, {wrong.Figure.Name}: {wrong.Figure.Problem}");
    }
}
