using System.Globalization;
using Muster.Simulation;

const string Usage = """
    usage: Muster.Simulation [--seed N | --seeds A..B] [--steps N] [--servers 1|2] [--fault NAME] [--trace JID]
      --seed N      one simulation; with the same seed the same things happen (default 1)
      --seeds A..B  many, on all processors; stops at the first finding
      --steps N     things that users and misfortune do (default 300)
      --servers N   1 server, or 2 whose users are in each other's rooms (default 1)
      --fault NAME  a mistake of the host, which the checkers must find; 'all' shows what finds each
      --joins N     no simulation: what it costs to look after N rooms of other servers
      --trace JID   show all that one client (romeo@x/1 ... tybalt@x/2) sends and gets
    """;

int from = 1, to = 1, steps = 300, servers = 1;
var fault = Fault.None;
bool showsFaults = false;
int joins = 0;
string? traced = null;
for (int i = 0; i < args.Length; i += 2)
{
    string value = i + 1 < args.Length ? args[i + 1] : "";
    string[] range = value.Split("..");
    bool understood = args[i] switch
    {
        "--seed" => TryNumber(value, out from) && TryNumber(value, out to),
        "--seeds" => range.Length == 2 && TryNumber(range[0], out from) && TryNumber(range[1], out to) && from <= to,
        "--steps" => TryNumber(value, out steps),
        "--servers" => TryNumber(value, out servers) && servers is 1 or 2,
        "--joins" => TryNumber(value, out joins) && joins > 0,
        "--fault" => (showsFaults = value == "all") || Enum.TryParse(value, ignoreCase: true, out fault),
        "--trace" => (traced = value).Length > 0,
        _ => false,
    };
    if (understood) continue;
    Console.Error.WriteLine(Usage);
    return args[i] == "--help" ? 0 : 2;
}
if (joins > 0) return JoinLoad.Run(joins);
if (showsFaults) return Campaign.ShowFaults(from, Math.Max(to, from + 99), steps);
if (from < to) return Campaign.Run(from, to, steps, fault, servers);
try
{
    Console.WriteLine(World.Run(from, steps, fault, traced, servers));
    return 0;
}
catch (SimulationException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}

static bool TryNumber(string text, out int number) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
