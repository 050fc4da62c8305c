using System.Globalization;
using Muster.Simulation;

const string Usage = """
    usage: Muster.Simulation [--seed N | --seeds A..B] [--steps N] [--fault NAME] [--trace JID]
      --seed N      one simulation; with the same seed the same things happen (default 1)
      --seeds A..B  one after another; stops at the first failure
      --steps N     things that users and misfortune do (default 2000)
      --fault NAME  a mistake of the host, which the checkers must find:
                    (see Fault.cs)
      --trace JID   show all that one client (romeo@x/1 ... paris@y/2) sends and gets
    """;

int from = 1, to = 1, steps = 2000;
var fault = Fault.None;
string? traced = null;
for (int i = 0; i < args.Length; i += 2)
{
    string value = i + 1 < args.Length ? args[i + 1] : "";
    string[] range = value.Split("..");
    bool understood = args[i] switch
    {
        "--seed" => TryNumber(value, out from) && TryNumber(value, out to),
        "--seeds" => range.Length == 2 && TryNumber(range[0], out from) && TryNumber(range[1], out to),
        "--steps" => TryNumber(value, out steps),
        "--fault" => Enum.TryParse(value, ignoreCase: true, out fault),
        "--trace" => (traced = value).Length > 0,
        _ => false,
    };
    if (understood) continue;
    Console.Error.WriteLine(Usage);
    return args[i] == "--help" ? 0 : 2;
}

for (int seed = from; seed <= to; seed++)
{
    try
    {
        Console.WriteLine(World.Run(seed, steps, fault, traced));
    }
    catch (SimulationException problem)
    {
        Console.Error.WriteLine(problem.Message);
        return 1;
    }
}
return 0;

static bool TryNumber(string text, out int number) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
