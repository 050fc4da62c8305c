using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Muster.Commands;
using Muster.Server.Storage;

namespace Muster.Tests.Commands;

/// <summary>The server as a newcomer starts it, and its data while it is stopped.</summary>
public sealed class ServerTests
{
    [Fact]
    public async Task The_first_start_makes_an_administrator_and_the_second_changes_nothing()
    {
        await using var bench = new CommandBench(config: null);
        await bench.StartAsync();
        string[] lines = bench.ServerOut.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches("^administrator: admin@localhost, password [A-Za-z0-9]{16} ", lines[0]);
        Assert.Matches("^web chat: http://127.0.0.1:\\d+/chat/$", lines[1]);
        Assert.Matches("^started in \\d+ ms$", lines[2]);
        Assert.Matches("^ready: c2s 127.0.0.1:\\d+ .*http http://127.0.0.1:\\d+$", lines[3]);
        Assert.Equal(0, await bench.StopAsync());

        await using var again = new CommandBench(config: null) { Data = bench.DataFolder };
        await again.StartAsync();
        Assert.Matches("^started in .*\nready: ", again.ServerOut);
        Assert.Single(Lines((await again.RunAsync("user", "list")).Done()).Skip(1));
    }

    [Fact]
    public async Task The_demo_has_two_users_and_a_room_and_stays_as_it_is()
    {
        await using var bench = new CommandBench();
        await bench.StartAsync("--demo");
        Assert.Contains("demo: log in as romeo@localhost with the password romeo", bench.ServerOut,
            StringComparison.Ordinal);
        Assert.Equal(0, await bench.StopAsync());
        await using var again = new CommandBench { Data = bench.DataFolder };
        await again.StartAsync("--demo");
        Assert.Equal(["juliet@localhost", "romeo@localhost"],
            Lines((await again.RunAsync("user", "list")).Done()).Skip(1).Select(line => line.Split(' ')[0]));
        Assert.StartsWith("garden@conference.localhost",
            Lines((await again.RunAsync("room", "list")).Done())[1], StringComparison.Ordinal);
        string owners = (await again.RunAsync("room", "affiliation", "garden@conference.localhost")).Done();
        Assert.Matches("romeo@localhost +owner", owners);
    }

    [Fact]
    public async Task One_server_at_a_time_uses_a_data_folder()
    {
        await using var bench = new CommandBench();
        await bench.StartAsync();
        var second = await bench.RunAsync("serve");
        Assert.Equal(CommandLine.Refused, second.Exit);
        Assert.Equal($"muster: another server is using the data folder {bench.DataFolder}", second.Problem);
        Assert.Contains("domains", (await bench.RunAsync("status")).Done(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_socket_of_a_dead_server_is_replaced()
    {
        await using var bench = new CommandBench();
        Directory.CreateDirectory(bench.DataFolder);
        string path = Path.Combine(bench.DataFolder, "admin.sock");
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // A file of the name is what a process leaves that was killed; a closed socket takes its own with it.
            left.Bind(new UnixDomainSocketEndPoint(path + "-"));
            File.Move(path + "-", path);
        }
        Assert.Contains("no server is running", (await bench.RunAsync("status")).Problem, StringComparison.Ordinal);
        await bench.StartAsync();
        Assert.Contains("localhost", (await bench.RunAsync("status")).Done(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_else_can_reach_the_socket()
    {
        await using var bench = new CommandBench();
        Directory.CreateDirectory(bench.DataFolder);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(bench.DataFolder, (UnixFileMode)0b111_101_101);
        await bench.StartAsync();
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite,
            File.GetUnixFileMode(Path.Combine(bench.DataFolder, "admin.sock")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite,
            File.GetUnixFileMode(Path.Combine(bench.DataFolder, "admin.token")));
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(bench.DataFolder) & (UnixFileMode)0b000_000_111);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var bench = new CommandBench($"""
            [[listen.c2s]]
              port = {((IPEndPoint)taken.LocalEndpoint).Port}
              tls.mode = "none"
            """);
        var result = await bench.RunAsync("serve");
        Assert.Equal(CommandLine.Refused, result.Exit);
        Assert.EndsWith($"port {taken.LocalEndpoint} (c2s) is taken by another program",
            Lines(result.Error)[^1], StringComparison.Ordinal);
        // And the folder is free again.
        Assert.Equal(0, (await bench.RunAsync("user", "list")).Exit);
    }

    [Fact]
    public async Task Data_that_cannot_be_written_is_told()
    {
        await using var bench = new CommandBench();
        await File.WriteAllTextAsync(bench.DataFolder, "a file, no folder");
        var result = await bench.RunAsync("serve");
        Assert.Equal(CommandLine.Refused, result.Exit);
        Assert.StartsWith($"muster: the data folder {bench.DataFolder} cannot be written: ", result.Problem,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_with_too_long_a_name_for_a_socket_is_told()
    {
        await using var bench = new CommandBench();
        string data = Path.Combine(bench.Folder, new string('d', 120));
        await using var long1 = new CommandBench { Data = data };
        var result = await long1.RunAsync("serve");
        Assert.Equal(CommandLine.Refused, result.Exit);
        Assert.Contains("is too long", Lines(result.Error)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_of_a_running_server_is_a_database_with_everything_in_it()
    {
        await using var bench = new CommandBench();
        await bench.StartAsync("--demo");
        await bench.RunAsync("room", "say", "garden@conference.localhost", "Wherefore art thou?");
        string file = Path.Combine(bench.Folder, "backup.db");
        Assert.StartsWith($"backed up to {file}, ", (await bench.RunAsync("backup", file)).Done(),
            StringComparison.Ordinal);
        await AssertHolds(file);

        var again = await bench.RunAsync("backup", file);
        Assert.Equal(CommandLine.Refused, again.Exit);
        Assert.Equal($"muster: {file} exists already; a backup overwrites nothing", again.Problem);
        await bench.StopAsync();

        string cold = Path.Combine(bench.Folder, "cold.db");
        string json = (await bench.RunAsync("backup", cold, "--json")).Done();
        Assert.Equal(new FileInfo(cold).Length, JsonDocument.Parse(json).RootElement.GetProperty("bytes").GetInt64());
        await AssertHolds(cold);
    }

    [Fact]
    public async Task What_is_done_while_it_is_stopped_is_there_when_it_starts()
    {
        await using var bench = new CommandBench();
        var added = await bench.PipeAsync("secret\n", "user", "add", "anna@localhost");
        Assert.Equal("added anna@localhost", added.Done());
        Assert.Equal("made cold@conference.localhost", (await bench.RunAsync(
            "room", "create", "cold@conference.localhost", "--owner", "anna@localhost", "--set", "title=Cold")).Done());
        Assert.False(File.Exists(Path.Combine(bench.DataFolder, "admin.sock")));
        await bench.StartAsync();
        Assert.Matches("(?m)^anna@localhost", (await bench.RunAsync("user", "list")).Done());
        Assert.Matches("(?m)^cold@conference.localhost +Cold +yes +yes +asleep",
            (await bench.RunAsync("room", "list")).Done());
    }

    static async Task AssertHolds(string file)
    {
        await using var database = await Database.Open(new StorageOptions { Path = file });
        Assert.NotNull(await database.Accounts.Find(Muster.Protocol.Addresses.Jid.Parse("romeo@localhost")));
        var garden = Muster.Protocol.Addresses.Jid.Parse("garden@conference.localhost");
        Assert.NotNull(await database.Rooms.Load(garden));
        Assert.Single((await database.Archive.Page(garden, new ArchiveQuery { Max = 10 })).Entries);
    }

    static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
