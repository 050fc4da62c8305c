using Muster.Commands;

namespace Muster.Tests.Commands;

/// <summary>How commands are called: exit codes, help, one line for each mistake.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("usr", "there is no command 'muster usr'; did you mean 'user'? (see muster --help)")]
    [InlineData("user lst", "there is no command 'muster user lst'; did you mean 'list'? (see muster user --help)")]
    [InlineData("user nothing", "there is no command 'muster user nothing' (see muster user --help)")]
    [InlineData("user add", "JID is missing (see muster user add --help)")]
    [InlineData("user add a@b --password",
        "--password needs a value (see muster user add --help)")]
    [InlineData("user list more",
        "'more' is too much, or no option of 'muster user list' (see muster user list --help)")]
    [InlineData("status --loud", "'--loud' is too much, or no option of 'muster status' (see muster status --help)")]
    [InlineData("room create r@s", "--owner is missing (see muster room create --help)")]
    [InlineData("room history r@s --max many",
        "--max is 'many'; it must be a whole number (see muster room history --help)")]
    [InlineData("room affiliation r@s a@b", "make a@b what? owner, admin, member, none or outcast")]
    [InlineData("room set r@s title", "'title' is no setting: it must be NAME=VALUE")]
    [InlineData("user add a@b --password x --generate", "--password and --generate exclude each other")]
    public async Task A_wrong_call_is_told_in_one_line(string call, string problem)
    {
        await using var bench = new CommandBench();
        var result = await bench.RunAsync(call.Split(' '));
        Assert.Equal(CommandLine.Misused, result.Exit);
        Assert.Equal($"muster: {problem}", result.Problem);
        Assert.Equal("", result.Out);
    }

    [Theory]
    [InlineData("", "muster [command] [options]")]
    [InlineData("room", "muster room [command] [options]")]
    public async Task The_beginning_of_a_command_shows_what_there_is(string call, string usage)
    {
        await using var bench = new CommandBench();
        var result = await bench.RunAsync(call.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(CommandLine.Misused, result.Exit);
        Assert.Contains(usage, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_and_version_are_no_mistakes()
    {
        await using var bench = new CommandBench();
        Assert.Contains("muster user add <JID> [options]", (await bench.RunAsync("user", "add", "--help")).Done(),
            StringComparison.Ordinal);
        Assert.Matches(@"^muster \d+\.\d+\.\d+$", (await bench.RunAsync("--version")).Done());
    }

    [Fact]
    public async Task Without_a_server_there_is_nothing_to_ask()
    {
        await using var bench = new CommandBench();
        foreach (string call in new[] { "status", "session list", "session kick a@b", "config reload" })
        {
            var result = await bench.RunAsync(call.Split(' '));
            Assert.Equal(CommandLine.Refused, result.Exit);
            Assert.Equal($"muster: no server is running on the data folder {bench.DataFolder}", result.Problem);
        }
    }

    [Fact]
    public async Task A_data_folder_that_is_not_there_is_taken_for_a_mistake()
    {
        await using var bench = new CommandBench();
        var result = await bench.RunAsync("user", "list");
        Assert.Equal(CommandLine.Refused, result.Exit);
        Assert.Equal($"muster: there is no data folder {bench.DataFolder} (--data DIR names another)", result.Problem);
        Assert.False(Directory.Exists(bench.DataFolder));
    }

    [Fact]
    public async Task All_mistakes_of_the_configuration_are_told_with_their_place()
    {
        await using var bench = new CommandBench("""
            [general]
              hosts = ["not a domain"]
              loglevl = "info"
            """);
        foreach (string call in new[] { "serve", "config check", "user add a@localhost --password x" })
        {
            var result = await bench.RunAsync(call.Split(' '));
            Assert.Equal(CommandLine.Refused, result.Exit);
            string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(2, lines.Length);
            Assert.StartsWith($"{bench.ConfigFile}:2:11: general.hosts: ", lines[0], StringComparison.Ordinal);
            Assert.StartsWith($"{bench.ConfigFile}:3:3: general.loglevl: ", lines[1], StringComparison.Ordinal);
            Assert.Contains("loglevel", lines[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_right_configuration_is_called_fine()
    {
        await using var bench = new CommandBench();
        Assert.Equal($"{bench.ConfigFile} is fine", (await bench.RunAsync("config", "check")).Done());
        Assert.Contains("\"valid\": true", (await bench.RunAsync("config", "check", "--json")).Done(),
            StringComparison.Ordinal);
        Assert.StartsWith("# Every option", (await bench.RunAsync("config", "describe")).Done(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_file_that_is_named_must_be_there()
    {
        await using var bench = new CommandBench(config: null);
        string file = Path.Combine(bench.Folder, "other.toml");
        var result = await bench.RunAsync("serve", "--config", file);
        Assert.Equal(CommandLine.Refused, result.Exit);
        Assert.StartsWith($"{file}:1:1: the configuration cannot be read", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Features_are_listed_without_a_server()
    {
        await using var bench = new CommandBench();
        string table = (await bench.RunAsync("features")).Done();
        Assert.Matches(@"(?m)^XEP-0199 +Ping +\d", table);
        Assert.Contains("\"specification\": \"XEP-0045\"", (await bench.RunAsync("features", "--json")).Done(),
            StringComparison.Ordinal);
    }
}
