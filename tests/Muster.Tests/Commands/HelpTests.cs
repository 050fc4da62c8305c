using System.CommandLine;
using System.Text;
using Muster.Commands;
using Muster.Tests.Tidy;

namespace Muster.Tests.Commands;

/// <summary>The page of all commands, docs/cli.md: what --help prints, in the order in which the commands
/// stand.</summary>
public sealed class HelpTests
{
    [Fact]
    public async Task The_page_of_the_commands_is_up_to_date()
    {
        string path = Path.Combine(SourceTree.Root, "docs", "cli.md");
        string made = await Page();
        if (Environment.GetEnvironmentVariable("UPDATE") == "1") await File.WriteAllTextAsync(path, made);
        Assert.True(File.Exists(path) && await File.ReadAllTextAsync(path) == made,
            "docs/cli.md is not what --help prints: run this test with UPDATE=1 and look at the difference");
    }

    [Fact]
    public void Every_command_and_parameter_is_described()
    {
        foreach (var command in All(new CommandLine(Quiet()).Root))
        {
            Assert.False(string.IsNullOrEmpty(command.Description), $"{command.Name} has no description");
            foreach (var argument in command.Arguments)
                Assert.False(string.IsNullOrEmpty(argument.Description), $"{command.Name} {argument.Name}");
            foreach (var option in command.Options)
                Assert.False(string.IsNullOrEmpty(option.Description), $"{command.Name} {option.Name}");
        }
    }

    static async Task<string> Page()
    {
        var page = new StringBuilder("""
            # Commands

            <!-- Made from what --help prints; a test compares, UPDATE=1 writes it anew. -->

            `./muster COMMAND` builds the program when needed; an installed one is called `muster`. Exit codes: 0 done,
            1 refused, 2 called wrongly. Mistakes are one line on the error stream. With `--json` the answer is JSON,
            with the fields of the admin API; a command that has nothing to answer then prints `{}`.

            `user`, `room`, `invite` and `backup` work on the running server, and on the data of one that is stopped.
            The running server is found by the socket `admin.sock` in its data folder, which only the user that the
            server runs as can open.


            """);
        foreach (var command in All(new CommandLine(Quiet()).Root))
        {
            string name = CommandLine.PathOf(command);
            var output = new StringWriter { NewLine = "\n" };
            var terminal = new Terminal { Out = output, Error = TextWriter.Null, In = TextReader.Null };
            await new CommandLine(terminal).RunAsync([.. name.Split(' ').Skip(1), "--help"]);
            page.Append("## `").Append(name).Append("`\n\n```\n").Append(Trimmed(output.ToString())).Append("```\n\n");
        }
        return page.ToString().TrimEnd() + "\n";
    }

    static string Trimmed(string help) => string.Concat(help.Trim().Split('\n').Select(line => line.TrimEnd() + "\n"));

    static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);

    static Terminal Quiet() => new() { Out = TextWriter.Null, Error = TextWriter.Null, In = TextReader.Null };
}
