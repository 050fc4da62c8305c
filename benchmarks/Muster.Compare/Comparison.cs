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
/// <param name="Quick">The same, shorter; null where it takes too long for a quick run.</param>
sealed record Work(string Name, string Arguments, string? Quick)
{
    /// <summary>Begin of the names of its figures, where others have the same names.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Which server it is done on: each gets a new one.</summary>
    public Stage Stage { get; init; } = Stage.Talk;

    /// <summary>Over TLS.</summary>
    public bool UsesTls { get; init; }

    /// <summary>Servers on which it would take too long.</summary>
    public string[] NotOn { get; init; } = [];

    /// <summary>In the first run alone.</summary>
    public bool IsOnce { get; init; }
}

/// <summary>What a server that has just been started is for.</summary>
enum Stage
{
    /// <summary>Sessions that do nothing: nothing else has used memory before.</summary>
    Sessions,
    /// <summary>What is said and done.</summary>
    Talk,
    /// <summary>With the archive on; and rooms, before anything is said.</summary>
    Archive,
}

/// <summary>Runs everything and shows what came out.</summary>
static class Comparison
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    const string Short = " --seconds 1 --warm-up 1", Talk = " --seconds 1.5 --warm-up 1";

    static readonly string[] AsShipped = ["prosody"];

    // Servers are warmed up before they talk, all in the same way: Muster is compiled by and by.
    static readonly Work[] Plan =
    [
        new("idle", "idle --count 2000", null) { Stage = Stage.Sessions, IsOnce = true },
        WarmUp("5"),
        new("rooms", "rooms --sizes 10,100" + Talk, "rooms --sizes 10,100" + Short),
        new("large room", "rooms --sizes 1000 --unseen" + Talk, null) { NotOn = AsShipped, IsOnce = true },
        new("one at a time", Hundred("--senders 1") + Talk, null)
            { Prefix = "one at a time: ", NotOn = AsShipped, IsOnce = true },
        new("pipelined", Hundred("--window 8") + Talk, null)
            { Prefix = "window 8: ", NotOn = AsShipped, IsOnce = true },
        new("slow", Hundred("--rate 20 --seconds 3 --warm-up 1"), Hundred("--rate 20") + Short)
            { Prefix = "20 messages a second: " },
        new("managed", Hundred("--sm") + Talk, Hundred("--sm") + Short) { Prefix = "stream management: " },
        new("TLS rooms", Hundred("") + Talk, null) { Prefix = "TLS: ", UsesTls = true, NotOn = AsShipped },
        new("joins", "joins --sizes 200", "joins --sizes 200") { NotOn = AsShipped },
        new("500 join", "joins --sizes 500", null) { NotOn = AsShipped, IsOnce = true },
        new("1000 join", "joins --sizes 1000", null) { NotOn = [.. AsShipped, "prosody-best"], IsOnce = true },
        new("pairs", "pairs --sizes 1,64 --seconds 2", "pairs --sizes 1,64 --seconds 1"),
        new("logins", "logins --mechanism PLAIN --seconds 1.5", "logins --mechanism PLAIN --seconds 1"),
        new("SCRAM", "logins --seconds 1.5", null) { NotOn = AsShipped },
        new("resume", "resume --count 200", "resume --count 50"),
        new("idle rooms", "rooms-idle --count 500", null)
            { Stage = Stage.Archive, NotOn = AsShipped, IsOnce = true },
        WarmUp("3") with { Stage = Stage.Archive },
        new("archive", Hundred("") + Talk, null)
            { Prefix = "archive on: ", Stage = Stage.Archive, NotOn = AsShipped },
    ];

    static Work WarmUp(string seconds) =>
        new("warm-up", Hundred($"--sm --warm-up 0 --seconds {seconds}"), Hundred("--sm --warm-up 0 --seconds 3"));

    static readonly Stopwatch Watch = Stopwatch.StartNew();

    static readonly string[] Servers = ["muster", "prosody", "prosody-best", "ejabberd"];

    static string Hundred(string how) => $"rooms --sizes 100 {how}".TrimEnd();

    /// <summary>Runs what was asked for.</summary>
    /// <returns>The exit code: 1 when a server delivered wrongly.</returns>
    public static async Task<int> RunAsync(Options options)
    {
        string program = Environment.GetEnvironmentVariable("MUSTER_PROGRAM")
            ?? throw new InvalidOperationException("MUSTER_PROGRAM names the program to measure");
        var results = new Results();
        for (int run = 0; run < options.Runs; run++)
        {
            foreach (string server in Servers.Where(name => options.Only is [] || options.Only.Contains(name)))
            {
                // What its default configuration costs is seen once; its best one is what others are compared with.
                if (server == "prosody" && (run > 0 || options.IsQuick)) continue;
                foreach (var stage in Enum.GetValues<Stage>())
                    await MeasureAsync(program, server, stage, run, options, results);
            }
            if (run == 0 && (options.Only is [] || options.Only.Contains("floor")))
                await MeasureFloorAsync(run, options, results);
        }
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Out))!);
        await File.WriteAllTextAsync(options.Out, JsonSerializer.Serialize(results.All, Json));
        Show(results);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bench: {options.Runs} run(s) of each, " +
            $"{Watch.Elapsed.TotalMinutes:0.0} minutes; all figures in {options.Out}"));
        return results.All.Any(result => result.Figure.Problem is not null) ? 1 : 0;
    }

    static async Task MeasureAsync(
        string program, string name, Stage stage, int run, Options options, Results results)
    {
        var works = Plan.Where(work => work.Stage == stage && IsWanted(work)).ToList();
        if (works.TrueForAll(work => work.Name == "warm-up")) return;
        bool isArchiving = stage == Stage.Archive;
        await using ServerUnderTest server = name switch
        {
            "muster" => new MusterServer(program, isArchiving),
            "ejabberd" => new EjabberdServer(isArchiving),
            _ => new ProsodyServer(name == "prosody-best", isArchiving),
        };
        bool IsWanted(Work work) =>
            (!options.IsQuick || work.Quick is not null)
            && (!work.IsOnce || run == 0)
            && !work.NotOn.Contains(name)
            && (options.Works is [] || work.Name == "warm-up"
                || options.Works.Any(begin => work.Name.StartsWith(begin, StringComparison.Ordinal)));

        Progress(run, name, "start");
        await server.StartAsync();
        results.Add(run, name, new("start to first connection", server.StartTime.TotalMilliseconds, "ms", 1,
            server.StartTime.TotalSeconds, null, null, null));
        await GenerateAsync(program, server, new("accounts", "register", "register"), options);
        foreach (var work in works)
        {
            Progress(run, name, work.Name);
            foreach (var figure in await GenerateAsync(program, server, work, options))
            {
                if (work.Name == "warm-up" && figure.Problem is null) continue;
                // Entering is measured by the work that is about it.
                bool isAboutEntering = work.Arguments.StartsWith("joins", StringComparison.Ordinal);
                if (!isAboutEntering && figure.Name.EndsWith("enter one room", StringComparison.Ordinal)) continue;
                results.Add(run, name, figure with { Name = work.Prefix + figure.Name });
            }
        }
    }

    static async Task<List<Figure>> GenerateAsync(string program, ServerUnderTest server, Work work, Options options)
    {
        int port = work.UsesTls ? server.TlsPort : server.Port;
        var start = new ProcessStartInfo("taskset",
        [
            "-c", "1", program, "bench",
            .. (options.IsQuick ? work.Quick! : work.Arguments).Split(' '), "--json", "--accounts", "500",
            "--port", port.ToString(CultureInfo.InvariantCulture),
            "--pid", server.ProcessId.ToString(CultureInfo.InvariantCulture),
            .. work.UsesTls ? (string[])["--tls"] : [],
            .. work.Name == "idle" ? (string[])["--tls-port", $"{server.TlsPort}"] : [],
            // The cheapest login for the servers, so that little time goes into logins.
            .. work.Arguments.Contains("--mechanism", StringComparison.Ordinal)
                ? (string[])[] : ["--mechanism", "SCRAM-SHA-1"],
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
        long slowCopies = options.IsQuick ? 3_000 : 10_000;
        results.Add(run, "floor", new("20 messages a second: room of 100",
            await Floor.MeasureAsync(100, 1, slowCopies, pause: 50), "us per copy", slowCopies, 0, null, null, null));
    }

    static void Progress(int run, string server, string work) =>
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"bench: {Watch.Elapsed:mm\\:ss} run {run + 1}, {server}: {work}"));

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
