using System.Text.Json;
using Muster.Commands;

namespace Muster.Tests.Commands;

/// <summary>Accounts and rooms from making to removing, by the command line, on a running server and on one that is
/// stopped: the same words, the same answers.</summary>
public sealed class LifecycleTests
{
    const string Room = "hall@conference.localhost";
    static readonly (int, string) NoAccount = (CommandLine.Refused, "muster: there is no account nobody@localhost");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_life_of_an_account(bool running)
    {
        await using var bench = new CommandBench();
        if (running) await bench.StartAsync();
        Assert.Equal("added anna@localhost",
            (await bench.PipeAsync("secret\n", "user", "add", "anna@localhost")).Done());
        var twice = await bench.RunAsync("user", "add", "anna@localhost", "--password", "x");
        Assert.Equal((CommandLine.Refused, "muster: anna@localhost exists already"), (twice.Exit, twice.Problem));
        Assert.Matches("^added bert@localhost with the password [A-Za-z0-9]{16}$",
            (await bench.RunAsync("user", "add", "bert@localhost", "--generate")).Done());

        var list = JsonDocument.Parse((await bench.RunAsync("user", "list", "--json")).Done()).RootElement;
        Assert.Equal(["anna@localhost", "bert@localhost"],
            list.GetProperty("users").EnumerateArray().Select(user => user.GetProperty("jid").GetString()!));

        Assert.Equal("the password of anna@localhost is changed",
            (await bench.PipeAsync("another\n", "user", "passwd", "anna@localhost")).Done());
        Assert.Matches("^the password of anna@localhost is changed to [A-Za-z0-9]{16}$",
            (await bench.RunAsync("user", "passwd", "anna@localhost", "--generate")).Done());
        var nobody = await bench.PipeAsync("x\n", "user", "passwd", "nobody@localhost");
        Assert.Equal(NoAccount, (nobody.Exit, nobody.Problem));
        Assert.Equal("muster: no password is given",
            (await bench.RunAsync("user", "passwd", "anna@localhost")).Problem);

        Assert.Equal("{}", (await bench.RunAsync("user", "remove", "anna@localhost", "--json")).Done());
        Assert.Equal("muster: there is no account anna@localhost",
            (await bench.RunAsync("user", "remove", "anna@localhost")).Problem);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_life_of_a_room(bool running)
    {
        await using var bench = new CommandBench();
        if (running) await bench.StartAsync();
        await bench.RunAsync("user", "add", "anna@localhost", "--password", "x");
        var nobody = await bench.RunAsync("room", "create", Room, "--owner", "nobody@localhost");
        Assert.Equal(NoAccount, (nobody.Exit, nobody.Problem));
        Assert.Equal($"made {Room}", (await bench.RunAsync("room", "create", Room, "--owner", "anna@localhost",
            "--set", "title=The Hall", "--set", "maygetmemberlist=moderator,participant")).Done());

        string shown = (await bench.RunAsync("room", "show", Room)).Done();
        Assert.Matches("(?m)^title +The Hall$", shown);
        Assert.Matches("(?m)^maygetmemberlist +moderator, participant$", shown);
        Assert.Equal("muster: public cannot be \"no\": it is true or false",
            (await bench.RunAsync("room", "set", Room, "public=no")).Problem);
        Assert.Equal("public = false\nmax_users = 7",
            (await bench.RunAsync("room", "set", Room, "public=false", "max_users=7")).Done());

        Assert.Equal($"bert@localhost is member of {Room}",
            (await bench.RunAsync(
                "room", "affiliation", Room, "bert@localhost", "member", "--reason", "asked")).Done());
        Assert.Matches("(?m)^bert@localhost +member +asked$",
            (await bench.RunAsync("room", "affiliation", Room)).Done());

        Assert.Equal($"said in {Room}", (await bench.RunAsync("room", "say", Room, "Good evening")).Done());
        Assert.Equal($"said in {Room}", (await bench.PipeAsync("and\ngood night\n", "room", "say", Room)).Done());
        string[] history = (await bench.RunAsync("room", "history", Room)).Done().Split('\n');
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  the room: Good evening$", history[0]);
        Assert.EndsWith("the room: and⏎good night", history[1], StringComparison.Ordinal);
        var one = await bench.RunAsync("room", "history", Room, "--max", "1");
        Assert.EndsWith("good night", one.Done(), StringComparison.Ordinal);
        Assert.Matches(@"^There are more: --before [0-9a-f]{16}$", one.Problem);

        Assert.Equal($"destroyed {Room}", (await bench.RunAsync("room", "destroy", Room, "--reason", "late")).Done());
        Assert.Equal($"muster: there is no room {Room}", (await bench.RunAsync("room", "show", Room)).Problem);
    }

    [Fact]
    public async Task An_invitation_says_what_it_is_for()
    {
        await using var bench = new CommandBench();
        await bench.RunAsync("user", "add", "anna@localhost", "--password", "x");
        string any = (await bench.RunAsync("invite", "localhost")).Done();
        Assert.StartsWith("For making an account at localhost:\n  xmpp:localhost?register;preauth=", any,
            StringComparison.Ordinal);
        Assert.StartsWith("For making the account bert@localhost:\n",
            (await bench.RunAsync("invite", "bert@localhost", "--inviter", "anna@localhost")).Done(),
            StringComparison.Ordinal);
        Assert.StartsWith("For becoming a contact of anna@localhost, with a new account if need be:\n",
            (await bench.RunAsync("invite", "anna@localhost")).Done(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quickstart_writes_a_configuration_that_is_right_and_overwrites_none()
    {
        await using var bench = new CommandBench(config: null);
        string file = Path.Combine(bench.Folder, "muster.toml");
        string[] quickstart = ["quickstart", "example.org", "--config", file];
        string told = (await bench.RunAsync(quickstart)).Done();
        Assert.Matches("(?m)^administrator: admin@example.org, password [A-Za-z0-9]{16} ", told);
        Assert.Matches(@"(?m)^  _xmpp-client\._tcp\.example\.org\. +SRV +5 0 5222 example\.org\.$", told);
        Assert.Matches(@"(?m)^  _xmpps-client\._tcp\.example\.org\. +SRV +5 0 5223 example\.org\.$", told);
        Assert.Matches(@"(?m)^  _xmpp-server\._tcp\.example\.org\. +SRV +5 0 5269 example\.org\.$", told);
        Assert.Contains("host-meta", told, StringComparison.Ordinal);
        var check = await bench.RunAsync("config", "check");
        Assert.Equal("", check.Error);
        Assert.Equal(0, check.Exit);
        Assert.Matches("(?m)^admin@example.org", (await bench.RunAsync("user", "list")).Done());

        string before = await File.ReadAllTextAsync(file);
        var again = await bench.RunAsync("quickstart", "example.net");
        Assert.Equal((CommandLine.Refused, $"muster: {file} is there already, and is not overwritten"),
            (again.Exit, again.Problem));
        Assert.Equal(before, await File.ReadAllTextAsync(file));
    }

    [Theory]
    [InlineData("not a domain")]
    [InlineData("localhost")]
    [InlineData("a@example.org")]
    public async Task Quickstart_wants_a_domain(string domain)
    {
        await using var bench = new CommandBench(config: null);
        string file = Path.Combine(bench.Folder, "muster.toml");
        var result = await bench.RunAsync("quickstart", domain, "--config", file);
        Assert.Equal((CommandLine.Refused, $"muster: '{domain}' is no domain such as example.org"),
            (result.Exit, result.Problem));
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task What_others_wrote_cannot_steer_the_terminal()
    {
        await using var bench = new CommandBench();
        await bench.RunAsync("user", "add", "anna@localhost", "--password", "x");
        await bench.RunAsync("room", "create", Room, "--owner", "anna@localhost", "--set", "title=a\u009b31mb");
        string list = (await bench.RunAsync("room", "list")).Done();
        Assert.DoesNotContain('\u009b', list);
        Assert.Contains("a\uFFFD31mb", list, StringComparison.Ordinal);
    }
}
