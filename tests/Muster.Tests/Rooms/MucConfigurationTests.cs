using Muster.Protocol.Xml;
using Muster.Testing;
using Muster.Tests.Commands;
using Muster.Tests.Tidy;

namespace Muster.Tests.Rooms;

/// <summary>Configurations of mod_muc as an operator writes them: what starts, what does not and with which words, and
/// the example of the reference page, unchanged.</summary>
public sealed class MucConfigurationTests
{
    const string Room = "garden@muc.example.com";
    const string Listen = "[[listen.c2s]]\nport = 0\ntls.mode = 'none'\n";

    // MongooseIM, mod_muc, "Example Configuration", with and without the pool of "External HTTP Authentication".
    [Theory, Feature("MU-63", "MU-72")]
    [InlineData("mod_muc_example.toml")]
    [InlineData("mod_muc_example_pool.toml", "mod_muc_example.toml")]
    public async Task The_example_of_the_page_works_unchanged(params string[] files)
    {
        string example = string.Join('\n', files.Select(file =>
            File.ReadAllText(Path.Combine(SourceTree.Root, "tests", "Data", file))));
        await using var server = await TestServer.StartAsync(Listen + example);
        var anna = await server.LoginAsync("anna");
        var services = await anna.RequestAsync("get", "localhost", $"<query xmlns='{Namespaces.DiscoItems}'/>");
        Assert.Contains(services.FirstElement!.Elements, item => item.Attribute("jid") == "muc.example.com");
        // New rooms want a password; the service that would say whether it is right cannot be reached.
        await anna.KnockAsync(Room, "Anna");
        Assert.Equal("not-authorized", (await anna.ReceiveAsync()).ErrorCondition());
        await anna.KnockAsync(Room, "Anna", "pilgrim");
        Assert.Equal("service-unavailable", (await anna.ReceiveAsync()).ErrorCondition());
    }

    [Theory, Feature("MU-04")]
    [InlineData("")]
    [InlineData("online_backend = 'mnesia'")]
    [InlineData("online_backend = 'mnesia'\n[internal_databases.mnesia]")]
    [InlineData("online_backend = 'cets'\n[internal_databases.cets]")]
    public async Task With_each_online_backend_rooms_are_found(string options)
    {
        await using var server = await TestServer.StartAsync($"{Listen}[modules.mod_muc]\n{options}");
        var anna = await server.LoginAsync("anna");
        await anna.CreateRoomAsync("garden@conference.localhost", "Anna");
        var berta = await server.LoginAsync("berta");
        await berta.EnterAsync("garden@conference.localhost", "Berta");
        var rooms = await berta.RequestAsync(
            "get", "conference.localhost", $"<query xmlns='{Namespaces.DiscoItems}'/>");
        Assert.Equal("garden (2)", rooms.FirstElement!.FirstElement!.Attribute("name"));
    }

    [Theory, Feature("MU-71")]
    // Names and patterns.
    [InlineData("host = 5", "3:8: modules.mod_muc.host: must be a domain name")]
    [InlineData("host = ''", "3:8: modules.mod_muc.host: must be a domain name")]
    [InlineData("backend = 'redis'", "3:11: modules.mod_muc.backend: must be one of \"mnesia\", \"rdbms\"")]
    [InlineData("online_backend = 'x'", "3:18: modules.mod_muc.online_backend: must be one of \"mnesia\", \"cets\"")]
    [InlineData("access = 'nobody'", "3:10: modules.mod_muc.access: there is no access rule 'nobody'")]
    [InlineData("access_create = 'x'", "3:17: modules.mod_muc.access_create: there is no access rule 'x'")]
    [InlineData("access_admin = 'x'", "3:16: modules.mod_muc.access_admin: there is no access rule 'x'")]
    [InlineData("access_persistent = 'x'", "3:21: modules.mod_muc.access_persistent: there is no access rule 'x'")]
    [InlineData("room_shaper = 'x'", "3:15: modules.mod_muc.room_shaper: there is no shaper 'x'")]
    [InlineData("user_message_shaper = 'x'", "3:23: modules.mod_muc.user_message_shaper: there is no shaper 'x'")]
    [InlineData("user_presence_shaper = 'x'", "3:24: modules.mod_muc.user_presence_shaper: there is no shaper 'x'")]
    // Zero or more.
    [InlineData("history_size = -1", "3:16: modules.mod_muc.history_size: must be a whole number")]
    [InlineData("min_message_interval = -1", "3:24: modules.mod_muc.min_message_interval: must be a number")]
    [InlineData("min_presence_interval = -1", "3:25: modules.mod_muc.min_presence_interval: must be a number")]
    [InlineData("max_user_conferences = -1", "3:24: modules.mod_muc.max_user_conferences: must be a whole number")]
    // Above zero.
    [InlineData("max_users = 0", "3:13: modules.mod_muc.max_users: must be a whole number")]
    [InlineData("max_users_admin_threshold = 0",
        "3:29: modules.mod_muc.max_users_admin_threshold: must be a whole number")]
    [InlineData("default_room.max_users = 0", "3:26: modules.mod_muc.default_room.max_users: must be")]
    // Zero or more, or "infinity".
    [InlineData("max_room_id = -1", "3:15: modules.mod_muc.max_room_id: must be")]
    [InlineData("max_room_name = 'none'", "3:17: modules.mod_muc.max_room_name: must be")]
    [InlineData("max_room_desc = true", "3:17: modules.mod_muc.max_room_desc: must be")]
    [InlineData("hibernate_timeout = -1", "3:21: modules.mod_muc.hibernate_timeout: must be")]
    [InlineData("hibernated_room_check_interval = 'never'",
        "3:34: modules.mod_muc.hibernated_room_check_interval: must be")]
    [InlineData("hibernated_room_timeout = 1.5", "3:27: modules.mod_muc.hibernated_room_timeout: must be")]
    // Yes or no, and lists.
    [InlineData("load_permanent_rooms_at_startup = 'yes'", "3:35: modules.mod_muc.load_permanent_rooms_at_start")]
    [InlineData("default_room.public = 1", "3:23: modules.mod_muc.default_room.public: must be")]
    [InlineData("default_room.maygetmemberlist = ['king']", "modules.mod_muc.default_room.maygetmemberlist")]
    [InlineData("default_room.nonsense = 1", "3:14: modules.mod_muc.default_room.nonsense: unknown key")]
    public async Task What_is_no_value_of_an_option_is_told_and_nothing_starts(string option, string problem)
    {
        await using var bench = new CommandBench($"# one option\n[modules.mod_muc]\n{option}\n");
        foreach (string command in (string[])["config check", "serve"])
        {
            var result = await bench.RunAsync(command.Split(' '));
            Assert.NotEqual(0, result.Exit);
            Assert.Contains(problem, result.Out + result.Error, StringComparison.Ordinal);
        }
    }

    [Theory, Feature("MU-71")]
    [InlineData("max_room_id = 'infinity'\nmax_room_name = 0\nmax_room_desc = 100")]
    [InlineData("hibernate_timeout = 'infinity'\nhibernated_room_check_interval = 1000\nhibernated_room_timeout = 0")]
    [InlineData("history_size = 0\nmax_user_conferences = 0\nmin_message_interval = 0\nmin_presence_interval = 0.5")]
    [InlineData("access = 'none'\naccess_create = 'muc_create'\naccess_admin = 'muc_admin'\nroom_shaper = 'none'")]
    public async Task What_is_one_starts(string options)
    {
        await using var bench = new CommandBench(
            $"[[listen.c2s]]\nport = 0\n[[listen.http]]\nport = 0\n[modules.mod_muc]\n{options}\n");
        (await bench.RunAsync("config", "check")).Done();
        await bench.StartAsync();
        Assert.Equal(0, await bench.StopAsync());
    }
}
