using System.CommandLine;
using System.Globalization;
using Muster.Server.Config;

namespace Muster.Commands;

/// <summary>One call of a command: its parameters, and the means that all commands have.</summary>
/// <param name="Terminal">Where it reads and writes.</param>
/// <param name="Parsed">Its own parameters.</param>
/// <param name="ConfigFile">The configuration file that was named; null when none was.</param>
/// <param name="DataFolder">The data folder.</param>
/// <param name="Json">Whether to answer in JSON.</param>
/// <param name="Unconfigured">The configuration of a server without a configuration file.</param>
/// <param name="Cancel">Ends it early.</param>
sealed record Invocation(
    Terminal Terminal, ParseResult Parsed, string? ConfigFile, string DataFolder, bool Json,
    Func<ServerConfig> Unconfigured, CancellationToken Cancel)
{
    /// <summary>The configuration file that is there when none is named.</summary>
    public const string ConfigFileHere = "muster.toml";

    /// <summary>Where the answer goes.</summary>
    public TextWriter Out => Terminal.Out;

    /// <summary>The configuration file to read; null when there is none, and everything has its default.</summary>
    public string? ConfigToRead => ConfigFile ?? (File.Exists(ConfigFileHere) ? ConfigFileHere : null);

    /// <summary>A parameter that was given.</summary>
    public T Get<T>(Argument<T> argument) => Parsed.GetRequiredValue(argument);

    /// <summary>An option, or its default.</summary>
    public T? Get<T>(Option<T> option) => Parsed.GetValue(option);

    /// <summary>Reads the configuration. Warnings are told; mistakes are all told, and end the command.</summary>
    public ServerConfig LoadConfig()
    {
        if (ConfigToRead is not { } file) return Unconfigured();
        var (config, problems) = ConfigCheck.Run(file);
        foreach (var problem in problems) Terminal.Error.WriteLine(problem);
        return config ?? throw new CommandException("");
    }

    /// <summary>The running server; on a server that is stopped, its data.</summary>
    public Task<AdminClient> ConnectAsync(bool makesData = false) => AdminClient.OpenAsync(this, makesData);

    /// <summary>The running server.</summary>
    public Task<AdminClient> ConnectRunningAsync() => AdminClient.OpenRunningAsync(this);

    /// <summary>Says that something is done.</summary>
    public void Say(string text) => Out.WriteLine(Terminal.Clean(text));

    /// <summary>A time for people.</summary>
    public static string Text(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture) ?? "never";

    /// <summary>A number for people.</summary>
    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A size for people.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0} kB"),
        < 10_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0} GB"),
    };
}
