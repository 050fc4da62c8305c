using System.Globalization;
using System.Net;
using Muster.Core.Streams;
using Muster.Core.Limits;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Sasl;
using Muster.Server.Config;

namespace Muster.Tests.Config;

/// <summary>Whole configurations as the documents have them.</summary>
public sealed class ConfigExampleTests
{
    // The pool of the page's example for external authentication, and its example configuration of mod_muc.
    const string MongooseImExample =
        """
        [outgoing_pools.http.my_auth_pool]
          strategy = "available_worker"
          connection.host = "http://my_server:8000"

        [modules.mod_muc]
          host = "muc.example.com"
          access = "muc"
          access_create = "muc_create"
          http_auth_pool = "my_auth_pool"
          default_room.password_protected = true

          [[modules.mod_muc.default_room.affiliations]]
            user = "alice"
            server = "localhost"
            resource = "resource1"
            affiliation = "member"

          [[modules.mod_muc.default_room.affiliations]]
            user = "bob"
            server = "localhost"
            resource = "resource2"
            affiliation = "owner"
        """;

    // Section 2 of the contract, in one piece.
    const string ContractExample =
        """
        [general]
          hosts = ["example.org", "example.net"]
          default_server_domain = "example.org"

        [storage]
          backend = "sqlite"
          durability = "normal"

        [[listen.c2s]]
          port = 5222
          ip_address = "127.0.0.1"
          tls.mode = "starttls"
          tls.certfile = "cert.pem"
          tls.keyfile = "key.pem"
          max_stanza_size = 262144
          shaper = "normal"
          login_timeout = 60
        [[listen.s2s]]
          port = 5269
        [[listen.http]]
          port = 5280
        [[listen.component]]
          port = 5347
          password = "secret"

        [auth]
          methods = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN"]
        [registration]
          in_band = false
          rate_limit = 10

        [acl]
          staff = [{ user = "alice", server = "example.org" }, { match = "all", server = "example.net" }]
        [access]
          muc_create = [{ acl = "staff", value = "allow" }]
        [shaper.normal]
          max_rate = 100_000

        [s2s]
          [[s2s.address]]
            host = "peer.test"
            ip_address = "127.0.0.1"
            port = 15269
          use_starttls = "required"

        [outgoing_pools.http.my_auth_pool]
          connection.host = "http://127.0.0.1:8000"

        [modules.mod_muc]
        [modules.mod_muc_log]
        [modules.mod_smacks]
          smacks_hibernation_time = 300
        [modules.mod_track_muc_joins]
        [modules.mod_ping_muc]
          ping_muc_delay = 1
        [modules.mod_muc_offline_delivery]
        [modules.mod_muc_cloud_notify]
          push_notification_with_body = false
        [modules.mod_cloud_notify]
        [modules.mod_mam]
        [modules.mod_offline]
        [modules.mod_carboncopy]
          enabled = false
        [modules.mod_csi]
        """;

    [Fact]
    public void The_example_of_mod_muc_loads_unchanged()
    {
        var config = Load(MongooseImExample);
        var muc = config.Modules.Muc;
        Assert.Equal("muc.example.com", muc.HostFor("localhost"));
        Assert.Equal(("muc", "muc_create", "my_auth_pool"), (muc.Access, muc.AccessCreate, muc.HttpAuthPool));
        Assert.Equal(new Uri("http://my_server:8000"), config.OutgoingPools.Http["my_auth_pool"].Connection.Host);
        Assert.True(muc.DefaultRoom.Options.PasswordProtected);
        Assert.Equal(
            [(Jid.Parse("alice@localhost/resource1"), Affiliation.Member),
            (Jid.Parse("bob@localhost/resource2"), Affiliation.Owner)],
            muc.DefaultRoom.Affiliations.Select(a => (a.Jid, a.Affiliation)));
        Assert.True(config.Access.Allows(muc.Access, Jid.Parse("x@elsewhere.test"), "localhost"));
        Assert.False(config.Access.Allows(muc.AccessCreate, Jid.Parse("x@elsewhere.test"), "localhost"));
        Assert.True(config.Access.Allows(muc.AccessCreate, Jid.Parse("x@localhost"), "localhost"));
    }

    [Theory]
    [InlineData("[modules.mod_muc.default_room]\n password_protected = true\n password = 'x'\n description = \"An " +
        "example description.\"\n")]
    [InlineData("[modules.mod_muc]\n default_room.password_protected = true\n default_room.password = 'x'\n" +
        "default_room.description = \"An example description.\"\n")]
    public void Both_notations_of_the_default_room_mean_the_same(string toml)
    {
        var room = Load(toml + "[[modules.mod_muc.default_room.affiliations]]\nuser = 'alice'\nserver = 'localhost'\n" +
            "resource = ''\naffiliation = 'member'").Modules.Muc.DefaultRoom;
        Assert.Equal("An example description.", room.Options.Description);
        Assert.Equal(Jid.Parse("alice@localhost"), room.Affiliations[0].Jid);
    }

    [Fact]
    public void The_example_of_the_contract_loads()
    {
        var config = Load(ContractExample);
        Assert.Equal(["example.org", "example.net"], config.General.Hosts);
        Assert.EndsWith("cert.pem", config.Listen.C2s[0].Tls.CertFile, StringComparison.Ordinal);
        Assert.Equal("secret", config.Listen.Component[0].Password);
        Assert.Equal(SaslMechanism.Plain, config.Auth.Methods[^1]);
        Assert.Equal(100_000, config.Shapers["normal"].MaxRate);
        var peer = Assert.Single(config.S2s.Addresses);
        Assert.Equal(("peer.test", IPAddress.Loopback, 15269, PeerTls.Required),
            (peer.Host, peer.IpAddress, peer.Port, peer.UseStartTls));
        Assert.Equal(TimeSpan.FromSeconds(300), config.Modules.Smacks.HibernationTime);
        Assert.False(config.Modules.CarbonCopy.Enabled);
        Assert.True(config.Modules.Csi.Enabled);
        Assert.True(config.Access.Allows("muc_create", Jid.Parse("anyone@example.net"), "example.org"));
        Assert.False(config.Access.Allows("muc_create", Jid.Parse("bob@example.org"), "example.org"));
        Assert.True(config.Access.Allows("muc_create", Jid.Parse("alice@example.org"), "example.org"));
    }

    [Fact]
    public void The_defaults_are_those_of_the_documents()
    {
        var modules = ServerConfig.Default.Modules;
        var muc = modules.Muc;
        Assert.Equal("conference.example.org", muc.HostFor("example.org"));
        Assert.Equal(("all", "all", "none", "all"),
            (muc.Access, muc.AccessCreate, muc.AccessAdmin, muc.AccessPersistent));
        Assert.Equal((20, 200, 5, 10), (muc.HistorySize, muc.MaxUsers, muc.MaxUsersAdminThreshold,
            muc.MaxUserConferences));
        Assert.Equal((null, null, null), (muc.MaxRoomId, muc.MaxRoomName, muc.MaxRoomDesc));
        Assert.Equal((null, null, null, null), (muc.RoomShaper, muc.UserMessageShaper, muc.UserPresenceShaper,
            muc.HttpAuthPool));
        Assert.Equal((TimeSpan.FromSeconds(90), null, null),
            (muc.HibernateTimeout, muc.HibernatedRoomCheckInterval, muc.HibernatedRoomTimeout));
        Assert.Equal(new RoomOptions(), muc.DefaultRoom.Options);
        Assert.Equal(("www/muc", "muc_admin", true),
            (modules.MucLog.OutDir, modules.MucLog.AccessLog, modules.MucLog.SpamPrevention));
        Assert.Equal((600, 30, 10, 10), (modules.Smacks.HibernationTime.TotalSeconds,
            modules.Smacks.MaxAckDelay.TotalSeconds,
            modules.Smacks.MaxHibernatedSessions, modules.Smacks.MaxOldSessions));
        Assert.Equal(("New Message!", 16, 5, false),
            (modules.MucCloudNotify.Push.ImportantBody, modules.CloudNotify.Push.MaxErrors,
            modules.CloudNotify.Push.MaxDevices, modules.CloudNotify.Push.WithBody));
        Assert.Equal([110, 330, 333], modules.PingMuc.StatusCodes);
        Assert.Equal((60, 593), (modules.S2sKeepalive.Interval.TotalSeconds,
            modules.S2sKeepalive.Timeout.TotalSeconds));
        Assert.Equal(TimeSpan.FromSeconds(15), ServerConfig.Default.Instrumentation.ProbeInterval);
    }

    [Fact]
    public void Infinity_fractions_and_words_of_room_options_are_read()
    {
        var muc = Load("""
            [modules.mod_muc]
            host = "rooms.@HOST@"
            max_room_id = 30
            hibernate_timeout = "infinity"
            hibernated_room_check_interval = 120_000
            min_message_interval = 0.25
            default_room = { anonymous = false, allow_private_messages = "moderators", maygetmemberlist = ["moderator"],
                max_users = 7, history_length = 3, title = "T" }
            """.Replace(",\n    ", ", ", StringComparison.Ordinal)).Modules.Muc;
        Assert.Equal("rooms.a.org", muc.HostFor("a.org"));
        Assert.Equal(30, muc.MaxRoomId);
        Assert.Null(muc.HibernateTimeout);
        Assert.Equal(TimeSpan.FromMinutes(2), muc.HibernatedRoomCheckInterval);
        Assert.Equal(TimeSpan.FromMilliseconds(250), muc.MinMessageInterval);
        var room = muc.DefaultRoom.Options;
        Assert.Equal((false, PrivateMessages.Moderators, 7, 3, "T"),
            (room.Anonymous, room.PrivateMessages, room.MaxUsers, room.HistoryLength, room.Title));
        Assert.Equal(Role.Moderator, Assert.Single(room.MayGetMemberList));
    }

    [Fact]
    public void A_domain_can_have_single_options_of_its_own()
    {
        var config = Load("""
            [general]
            hosts = ["a.org", "b.org"]
            [modules.mod_muc]
            history_size = 5
            max_users = 50
            [modules.mod_ping_muc]
            [[host_config]]
            host = "b.org"
            modules.mod_muc.history_size = 7
            modules.mod_ping_muc.enabled = false
            """);
        Assert.Equal((5, 50, true), Facts(config.ModulesOf("a.org")));
        Assert.Equal((7, 50, false), Facts(config.ModulesOf("b.org")));

        static (int, int, bool) Facts(ModulesConfig m) => (m.Muc.HistorySize, m.Muc.MaxUsers, m.PingMuc.Enabled);
    }

    [Fact]
    public void Names_of_MongooseIM_without_meaning_here_are_taken_with_a_warning()
    {
        var (config, problems) = ConfigCheck.Parse("""
            [general]
            hosts = ["localhost"]
            host_types = []
            sm_backend = "mnesia"
            [internal_databases.mnesia]
            [internal_databases.cets]
            backend = "rdbms"
            [modules.mod_muc]
            backend = "rdbms"
            online_backend = "cets"
            [instrumentation]
            probe_interval = 60
            exometer.all_metrics_are_global = true
            [instrumentation.prometheus]
            """);
        Assert.NotNull(config);
        var foreign = problems.Where(p => p.Text.StartsWith("has no effect here", StringComparison.Ordinal)).ToList();
        Assert.Equal([3, 4, 7], foreign.Select(p => p.Line));
        Assert.All(foreign, p => Assert.Contains(": warning: ", p.ToString(), StringComparison.Ordinal));
        Assert.True(config.Instrumentation.AllMetricsAreGlobal);
    }

    [Fact]
    public void Every_limit_of_the_server_can_be_changed()
    {
        var options = ConfigDescription.Groups().Single(g => g.Path == "limits").Options;
        string toml = "[limits]\n" + string.Concat(
            options.Select(o => $"{o.Key} = {long.Parse(o.Default!, CultureInfo.InvariantCulture) + 1}\n"));
        var (defaults, changed) = (ServerLimits.Default, Load(toml).Limits);
        var limits = typeof(ServerLimits).GetProperties().Where(p => p.PropertyType == typeof(int)).ToList();
        Assert.Equal(limits.Count, options.Count);
        Assert.All(limits, limit => Assert.Equal((int)limit.GetValue(defaults)! + 1, limit.GetValue(changed)));
    }

    [Fact]
    public void Reading_and_checking_takes_milliseconds()
    {
        double best = double.MaxValue;
        for (int i = 0; i < 10; i++)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            Load(ContractExample);
            best = Math.Min(best, clock.Elapsed.TotalMilliseconds);
        }
        Assert.InRange(best, 0, 20);
    }

    static ServerConfig Load(string toml)
    {
        var (config, problems) = ConfigCheck.Parse(toml);
        Assert.DoesNotContain(problems, p => p.IsError);
        return config!;
    }
}
