using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Muster.Bench;

namespace Muster.Commands;

/// <summary><c>muster bench</c>: puts any XMPP server under load and checks what it delivers.</summary>
static class BenchCommand
{
    static readonly Option<string> Host = Text("--host", "Address of the server", "ADDRESS", "127.0.0.1");
    static readonly Option<int> Port = Number("--port", "Port of its listener for clients", 5222);
    static readonly Option<string> Domain = Text("--domain", "Domain of the accounts", "DOMAIN", "localhost");
    static readonly Option<string?> Service = new("--service")
    {
        Description = "Domain of the rooms (conference.DOMAIN)", HelpName = "DOMAIN",
    };
    static readonly Option<bool> Tls = new("--tls") { Description = "STARTTLS first; certificates are not checked" };
    static readonly Option<bool> Managed = new("--sm") { Description = "With stream management (XEP-0198)" };
    static readonly Option<bool> Legacy = new("--session") { Description = "Ask for a session after the resource" };
    static readonly Option<string> Mechanism =
        Text("--mechanism", "PLAIN, SCRAM-SHA-1 or SCRAM-SHA-256", "NAME", "PLAIN");
    static readonly Option<int?> Process = new("--pid")
    {
        Description = "The server's process on this machine: its CPU time and memory are the cost", HelpName = "ID",
    };
    static readonly Option<int> Accounts =
        Number("--accounts", "Accounts bench0, bench1 ..., each with its name as password", 1000);
    static readonly Option<double> Seconds = new("--seconds")
    {
        Description = "How long each part lasts (3)", HelpName = "S", DefaultValueFactory = _ => 3,
    };

    /// <summary>Makes the commands.</summary>
    public static Command Create(CommandLine line) => CommandLine.Group("bench",
        "Put an XMPP server under load and check what it delivers",
        Work(line, "register", "Make the accounts (XEP-0077)", RegisterAsync),
        Rooms(line),
        Sizes(line, "joins", "Many enter a room at once", "500", static (target, sizes, call) =>
            Works.JoinsAsync(target, sizes, call.Get(Accounts))),
        Idle(line),
        Work(line, "logins", "Clients log in and go", static (target, call) =>
            Works.LoginsAsync(target, call.Get(Seconds), call.Get(Accounts))),
        Sizes(line, "pairs", "Users talk one to one, with so many messages under way", "1,64",
            static (target, windows, call) => Works.PairsAsync(target, 10, windows, call.Get(Seconds))),
        Counted(line, "resume", "Broken sessions come back and get ten messages each", 500, static (target, count, _) =>
            Works.ResumptionsAsync(target, count)),
        Counted(line, "rooms-idle", "Memory per persistent room", 5000, static (target, count, _) =>
            Works.IdleRoomsAsync(target, count, 50)));

    static Command Idle(CommandLine line)
    {
        var count = Number("--count", "How many", 2000);
        var tlsPort = new Option<int?>("--tls-port")
        {
            Description = "The listener for a quarter as many with STARTTLS", HelpName = "N",
        };
        return Work(line, "idle", "Memory per session that does nothing, without and with stream management",
            (target, call) => Works.IdleAsync(target, call.Get(count), call.Get(Accounts), call.Get(tlsPort)),
            count, tlsPort);
    }

    static Command Rooms(CommandLine line)
    {
        var sizes = Text("--sizes", "Occupants of the rooms", "N,N", "10,100,1000");
        var senders = Number("--senders", "How many of them talk", 10);
        var window = Number("--window", "Messages each has under way", 1);
        var rate = new Option<double?>("--rate")
        {
            Description = "Messages a second in all, instead of a closed loop", HelpName = "N",
        };
        var warmUp = new Option<double>("--warm-up")
        {
            Description = "Seconds of talk before it counts (2)", HelpName = "S", DefaultValueFactory = _ => 2,
        };
        var inject = Text("--inject", "Spoil a copy on purpose: lost, doubled or swapped", "FAULT", "none");
        var unseen = new Option<bool>("--unseen")
        {
            Description = "Participants are not shown to each other, so that a large room is entered quickly",
        };
        return Work(line, "rooms", "Occupants of rooms talk: each gets each message once, in order", (target, call) =>
            Works.RoomsAsync(target, Numbers(call.Get(sizes)!), call.Get(Accounts),
                new TalkPlan(call.Get(senders), call.Get(window), call.Get(rate), call.Get(Seconds)), call.Get(warmUp),
                Enum.TryParse<Injected>(call.Get(inject), ignoreCase: true, out var fault) ? fault
                    : throw new CommandException("--inject is lost, doubled or swapped", CommandLine.Misused),
                call.Get(unseen)),
            sizes, senders, window, rate, warmUp, inject, unseen);
    }

    static Command Sizes(CommandLine line, string name, string description, string all,
        Func<BenchTarget, int[], Invocation, Task<List<BenchFigure>>> run)
    {
        var sizes = Text("--sizes", "How many", "N,N", all);
        return Work(line, name, description, (target, call) => run(target, Numbers(call.Get(sizes)!), call), sizes);
    }

    static Command Counted(CommandLine line, string name, string description, int many,
        Func<BenchTarget, int, Invocation, Task<List<BenchFigure>>> run)
    {
        var count = Number("--count", "How many", many);
        return Work(line, name, description, (target, call) => run(target, call.Get(count), call), count);
    }

    static Command Work(CommandLine line, string name, string description,
        Func<BenchTarget, Invocation, Task<List<BenchFigure>>> run, params Option[] more) =>
        line.Make(name, description, async call =>
        {
            var target = new BenchTarget
            {
                Host = call.Get(Host)!,
                Port = call.Get(Port),
                Domain = call.Get(Domain)!,
                Service = call.Get(Service) ?? $"conference.{call.Get(Domain)}",
                UsesTls = call.Get(Tls),
                IsManaged = call.Get(Managed),
                OffersSession = call.Get(Legacy),
                Mechanism = call.Get(Mechanism)!,
                ProcessId = call.Get(Process),
            };
            List<BenchFigure> figures;
            try
            {
                figures = await run(target, call);
            }
            catch (Exception error) when (error is BenchException or System.Net.Sockets.SocketException)
            {
                throw new CommandException(error.Message);
            }
            Show(call, figures);
            if (figures.Exists(figure => figure.Problem is not null)) throw new CommandException("");
        }, [Host, Port, Domain, Service, Tls, Managed, Legacy, Mechanism, Process, Accounts, Seconds, .. more]);

    static async Task<List<BenchFigure>> RegisterAsync(BenchTarget target, Invocation call)
    {
        var measured = new Measurement(target);
        int count = call.Get(Accounts);
        await Crew.RegisterAsync(target, count);
        return [new("accounts made", measured.MillisPer(count), "ms per account", count, measured.Seconds)];
    }

    static void Show(Invocation call, IReadOnlyList<BenchFigure> figures)
    {
        if (call.Json)
        {
            call.Out.WriteLine(JsonSerializer.Serialize(figures, BenchJson.Default.IReadOnlyListBenchFigure));
            return;
        }
        call.Terminal.WriteTable(["work", "cost", "unit", "count", "seconds", "median ms", "p99 ms", "received"],
            figures.Select(figure => new[]
            {
                figure.Name, Text(figure.Cost), figure.Unit, figure.Count.ToString(CultureInfo.InvariantCulture),
                Text(figure.Seconds), Text(figure.Median), Text(figure.P99), figure.Problem ?? "all right",
            }));
    }

    static string Text(double? value) => value is { } number
        ? number.ToString(Math.Abs(number) < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture) : "-";

    static int[] Numbers(string list) => [.. list.Split(',').Select(text =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? number
            : throw new CommandException($"'{text}' is not a number above 0", CommandLine.Misused))];

    static Option<string> Text(string name, string description, string help, string value) => new(name)
    {
        Description = $"{description} ({value})", HelpName = help, DefaultValueFactory = _ => value,
    };

    static Option<int> Number(string name, string description, int value) => new(name)
    {
        Description = string.Create(CultureInfo.InvariantCulture, $"{description} ({value})"),
        HelpName = "N",
        DefaultValueFactory = _ => value,
    };
}
