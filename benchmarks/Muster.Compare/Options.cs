using System.Globalization;

namespace Muster.Compare;

/// <summary>What <c>./bench</c> was asked for.</summary>
sealed record Options
{
    const string Help = """
        bench: Muster beside Prosody and ejabberd on this machine, and the bare floor.
          ./bench [--quick] [--runs N] [--only NAME,NAME] [--work NAME,NAME] [--out FILE]
            --quick   one short run of each
            --runs    runs of each server, one server after the other (3)
            --only    servers: muster, prosody, prosody-best, ejabberd, floor
            --work    kinds of work, by the beginnings of their names
            --out     where the figures go as JSON (artifacts/bench.json)
        Linux with two cores: the server has the first, the generator the second. Root installs the peers.
        """;

    /// <summary>One short run of each.</summary>
    public bool IsQuick { get; init; }

    /// <summary>Runs of each server.</summary>
    public int Runs { get; init; } = 3;

    /// <summary>Names of the servers; empty for all.</summary>
    public string[] Only { get; init; } = [];

    /// <summary>Beginnings of the names of the kinds of work; empty for all.</summary>
    public string[] Works { get; init; } = [];

    /// <summary>Where the figures go as JSON.</summary>
    public string Out { get; init; } = "artifacts/bench.json";

    /// <summary>Reads the arguments; null after a word to the user.</summary>
    public static Options? Parse(string[] args)
    {
        var options = new Options();
        for (int i = 0; i < args.Length; i++)
        {
            string value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--quick":
                    options = options with { IsQuick = true, Runs = 1 };
                    continue;
                case "--runs" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int runs)
                    && runs > 0:
                    options = options with { Runs = runs };
                    break;
                case "--only" when value.Length > 0:
                    options = options with { Only = value.Split(',') };
                    break;
                case "--work" when value.Length > 0:
                    options = options with { Works = value.Split(',') };
                    break;
                case "--out" when value.Length > 0:
                    options = options with { Out = value };
                    break;
                case "-h" or "--help":
                    Console.WriteLine(Help);
                    return null;
                default:
                    Console.Error.WriteLine($"bench: '{args[i]}' is no option, or its value is missing (see --help)");
                    return null;
            }
            i++;
        }
        return options;
    }
}
