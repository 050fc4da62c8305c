using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Muster.Server;
using Muster.Server.Storage;
using ServerConfig = Muster.Server.Config.ServerConfig;

namespace Muster.Commands;

/// <summary>The command line: what there is, and what all commands share.</summary>
sealed class CommandLine
{
    /// <summary>Exit codes.</summary>
    public const int Done = 0, Refused = 1, Misused = 2;

    const int HelpColumns = 100;

    readonly Terminal _terminal;
    readonly Func<ServerConfig> _unconfigured;
    readonly Option<string> _config = new("--config")
    {
        Description = "The configuration file (./muster.toml, when it is there)",
        HelpName = "FILE",
        Recursive = true,
    };
    readonly Option<string> _data = new("--data")
    {
        Description = "The folder with the server's data (./data)",
        HelpName = "DIR",
        Recursive = true,
    };
    readonly Option<bool> _json = new("--json") { Description = "Answer in JSON", Recursive = true };

    /// <summary>Makes the commands.</summary>
    /// <param name="terminal">Where they read and write.</param>
    /// <param name="unconfigured">The configuration of a server without a configuration file; null for the real
    /// one.</param>
    public CommandLine(Terminal terminal, Func<ServerConfig>? unconfigured = null)
    {
        _terminal = terminal;
        _unconfigured = unconfigured ?? (() => FirstStart.Config);
        Root = new RootCommand("Muster, an XMPP server for group chat.")
        {
            ServeCommand.Create(this), QuickstartCommand.Create(this), UserCommands.Create(this),
            InviteCommand.Create(this), RoomCommands.Create(this), SessionCommands.Create(this),
            ComponentCommands.Create(this), ConfigCommands.Create(this), FeaturesCommand.Create(this),
            BackupCommand.Create(this), StatusCommand.Create(this), BenchCommand.Create(this),
        };
        Root.HelpName = "muster";
        Root.Add(_config);
        Root.Add(_data);
        Root.Add(_json);
        foreach (var option in Root.Options)
        {
            if (option is VersionOption) option.Action = new ShowVersion(terminal.Out);
            else if (option is HelpOption { Action: HelpAction help }) help.MaxWidth = HelpColumns;
        }
    }

    /// <summary>The command with all others in it.</summary>
    public RootCommand Root { get; }

    /// <summary>Runs a command.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string[] args, CancellationToken cancel = default)
    {
        var parsed = Root.Parse(args);
        // Whoever asks for help gets it, whatever else is missing.
        if (parsed.Errors.Count > 0 && parsed.Action is not { ClearsParseErrors: true }) return Complain(parsed);
        return await parsed.InvokeAsync(Streams(_terminal.Out), cancel);
    }

    InvocationConfiguration Streams(TextWriter output) => new()
    {
        Output = output,
        Error = _terminal.Error,
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null, // serve ends by itself, and the others simply end
    };

    /// <summary>A command that does something.</summary>
    public Command Make(string name, string description, Func<Invocation, Task> run, params Symbol[] symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Option option) command.Add(option);
            else command.Add((Argument)symbol);
        }
        command.SetAction((parsed, cancel) => InvokeAsync(run, parsed, cancel));
        return command;
    }

    /// <summary>A command that has others below it.</summary>
    public static Command Group(string name, string description, params Command[] commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands) group.Add(command);
        return group;
    }

    async Task<int> InvokeAsync(Func<Invocation, Task> run, ParseResult parsed, CancellationToken cancel)
    {
        try
        {
            await run(new Invocation(_terminal, parsed, parsed.GetValue(_config), parsed.GetValue(_data) ?? "data",
                parsed.GetValue(_json), _unconfigured, cancel));
            return Done;
        }
        catch (CommandException e)
        {
            if (e.Message.Length > 0) Say(e.Message);
            return e.Exit;
        }
        catch (Exception e) when (e is StartException or StorageException)
        {
            Say(e.Message);
            return Refused;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            Say(e is OperationCanceledException ? "interrupted" : e.Message);
            return Refused;
        }
#pragma warning disable CA1031 // A bug in the program is told in one line as well; who looks for it asks for the rest.
        catch (Exception e)
#pragma warning restore CA1031
        {
            bool isWanted = Environment.GetEnvironmentVariable("MUSTER_TRACE") == "1";
            Say(isWanted ? e.ToString() : $"a bug: {e.GetType().Name}: {e.Message} (MUSTER_TRACE=1 shows where)");
            return Refused;
        }
    }

    int Complain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        string path = PathOf(command);
        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0)
        {
            // Only the beginning of a command: the rest is in the help.
            Root.Parse([.. path.Split(' ').Skip(1), "--help"]).Invoke(Streams(_terminal.Error));
            return Misused;
        }
        Say($"{Explain(parsed, command, path)} (see {path} --help)");
        return Misused;
    }

    static string Explain(ParseResult parsed, Command command, string path)
    {
        if (parsed.UnmatchedTokens is [var token, ..])
        {
            return command.Subcommands.Count > 0
                ? $"there is no command '{path} {token}'{Nearest(command, token)}"
                : $"'{token}' is too much, or no option of '{path}'";
        }
        var error = parsed.Errors[0];
        return error.SymbolResult switch
        {
            ArgumentResult { Tokens.Count: 0 } missing when missing.Parent is CommandResult =>
                $"{missing.Argument.Name} is missing",
            OptionResult { Tokens: [var value, ..] } wrong when wrong.Option.ValueType == typeof(int) =>
                $"{wrong.Option.Name} is '{value.Value}'; it must be a whole number",
            OptionResult { IdentifierToken: null } missing => $"{missing.Option.Name} is missing",
            OptionResult { Tokens.Count: 0 } empty => $"{empty.Option.Name} needs a value",
            _ => error.Message.TrimEnd('.'),
        };
    }

    static string Nearest(Command command, string token) =>
        Server.Config.Nearest.Of(token, command.Subcommands.Select(sub => sub.Name)) is { } name
            && Server.Config.Nearest.Distance(token, name) <= 2
            ? $"; did you mean '{name}'?"
            : "";

    void Say(string message) => _terminal.Error.WriteLine($"muster: {message}");

    /// <summary>The words by which a command is called.</summary>
    public static string PathOf(Command command) => command.Parents.OfType<Command>().FirstOrDefault() is { } parent
        ? $"{PathOf(parent)} {command.Name}"
        : "muster";

    sealed class ShowVersion(TextWriter output) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            output.WriteLine($"muster {Server.Http.AdminApi.Version}");
            return Done;
        }
    }
}
