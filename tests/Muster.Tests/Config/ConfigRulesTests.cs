using Muster.Server.Config;

namespace Muster.Tests.Config;

/// <summary>What needs more than one option: names that lead nowhere, combinations that are dangerous or cannot
/// start.</summary>
public sealed class ConfigRulesTests
{
    [Theory]
    // A name that leads nowhere: at the place of the name.
    [InlineData("[modules.mod_muc]\naccess = 'muk'", 2, 10,
        "there is no access rule 'muk'; define it under [access], or did you mean 'muc'?")]
    [InlineData("[[listen.c2s]]\naccess = 'cs2'", 2, 10, "did you mean 'c2s'?")]
    [InlineData("[shaper.normal]\nmax_rate = 1\n[[listen.c2s]]\nshaper = 'norml'", 4, 10,
        "there is no shaper 'norml'; define it under [shaper], or did you mean 'normal'?")]
    [InlineData("[modules.mod_muc]\nroom_shaper = 'x'", 2, 15, "there is no shaper 'x'")]
    [InlineData("[modules.mod_muc]\nhttp_auth_pool = 'p'\n[outgoing_pools.http.q]\nconnection.host='http://x'",
        2, 18, "there is no pool 'p'; define it under [outgoing_pools.http]")]
    [InlineData("[modules.mod_muc_log]\naccess_log = 'nobody'", 2, 14, "there is no access rule 'nobody'")]
    [InlineData("[[modules.mod_muc.default_room.affiliations]]\nuser='a'\nserver='b'\nresource=''\naffiliation='king'",
        5, 13, "must be one of \"member\", \"admin\", \"owner\"")]
    [InlineData("[[modules.mod_muc.default_room.affiliations]]\nuser='a'\nserver='b'\naffiliation='owner'", 1, 1,
        "affiliations[0].resource: is missing")]
    [InlineData("[[modules.mod_muc.default_room.affiliations]]\nuser='a " +
        "b'\nserver='c'\nresource=''\naffiliation='owner'", 1, 1, "no valid address")]
    // Plain text over the network.
    [InlineData("[[listen.c2s]]\nip_address = '0.0.0.0'\ntls.mode = 'none'", 3, 5,
        "0.0.0.0 would carry passwords (auth.methods has PLAIN) and messages in plain text")]
    [InlineData("[auth]\nmethods = ['SCRAM-SHA-256']\n[[listen.c2s]]\nip_address = '::'\ntls.mode = " +
        "'starttls_optional'", 5, 5, ":: would carry messages in plain text")]
    [InlineData("[[listen.s2s]]\nip_address = '192.0.2.1'\ntls.mode = 'none'", 3, 5, "set tls.mode to \"starttls\"")]
    [InlineData("[[listen.http]]\nip_address = '0.0.0.0'", 2, 1,
        "set tls.mode to \"tls\", or listen on a loopback address")]
    [InlineData("[[listen.component]]\nip_address = '10.0.0.1'\npassword = 'x'", 2, 1, "plain text")]
    [InlineData("[[listen.component]]\npassword = 'x'\ndomains = ['conference.localhost']", 3, 1,
        "'conference.localhost' is served by this server itself")]
    // Listeners that cannot start.
    [InlineData("[[listen.c2s]]\nport = 5269\n[[listen.s2s]]", 3, 1,
        "port 5269 of 127.0.0.1 is taken by 'listen.c2s[0]'")]
    [InlineData("[[listen.c2s]]\n[[listen.c2s]]\nip_address = '0.0.0.0'\nport = 5222", 4, 1,
        "port 5222 of 127.0.0.1 is taken")]
    [InlineData("[[listen.c2s]]\ntls.keyfile = 'k.pem'", 2, 5, "needs tls.certfile")]
    [InlineData("[[listen.http]]\ntls.certfile = 'c.pem'", 2, 5, "set the mode to \"tls\"")]
    [InlineData("[[listen.http]]\ntls.mode = 'starttls'", 2, 12, "must be one of \"none\", \"tls\"")]
    // Domains.
    [InlineData("[general]\nhosts = ['a.org', 'A.ORG']", 2, 1, "'a.org' stands here twice")]
    [InlineData("[general]\nhosts = ['a.org', 'b..c']", 2, 9, "must be a non-empty array of domain names")]
    [InlineData("[general]\nhosts = ['a.org', 'conference.a.org']\n", 1, 1,
        "'conference.a.org' is one of general.hosts; rooms need a domain of their own")]
    [InlineData("[[host_config]]\nhost = 'c.org'", 2, 1, "'c.org' is not in general.hosts")]
    [InlineData("[[host_config]]\nhost = 'localhost'\n[[host_config]]\nhost = 'localhost'", 4, 1, "put both into one")]
    [InlineData("[[host_config]]\nhost = 'localhost'\nmodules.mod_muc.histry_size = 1", 3, 17,
        "host_config[0].modules.mod_muc.histry_size: unknown key; did you mean 'history_size'?")]
    [InlineData("[modules.mod_muc]\nhost = 'no such host'", 2, 8, "must be a domain name, in which @HOST@")]
    // Access.
    [InlineData("[acl]\nx = [{ user_regexp = '(' }]", 2, 22, "must be a regular expression")]
    [InlineData("[acl]\nx = [{ usr = 'a' }]", 2, 8, "unknown key; did you mean 'user'?")]
    [InlineData("[acl]\nx = 'all'", 2, 5, "must be an array of tables")]
    [InlineData("[access]\nx = [{ acl = 'all' }]", 2, 6, "access.x[0].value: is missing")]
    [InlineData("[access]\nx = [{ acl = 'all', value = [] }]", 2, 29, "must be a non-empty string or a whole number")]
    [InlineData("[shaper.x]", 1, 9, "shaper.x.max_rate: is missing")]
    [InlineData("[shaper]\nx = 5", 2, 5, "must be a table")]
    // Databases and services.
    [InlineData("[modules.mod_muc]\nonline_backend = 'cets'", 2, 1, "add [internal_databases.cets]")]
    [InlineData("[internal_databases.cets]", 1, 2, "add [internal_databases.mnesia]")]
    [InlineData("[storage]\nconnection = 'x'", 2, 1, "is for storage.backend = \"postgres\" only")]
    [InlineData("[storage]\nbackend = 'memory'\npath = 'x'", 3, 1, "is for storage.backend = \"sqlite\" only")]
    [InlineData("[outgoing_pools.http.p]", 1, 22, "connection.host")]
    [InlineData("[outgoing_pools.http.p]\nconnection.host = 'ftp://x'", 2, 19,
        "must be an http:// or https:// address")]
    [InlineData("[outgoing_pools.rdbms.default]", 1, 17, "unknown key; did you mean 'http'?")]
    [InlineData("[modules.mod_muc]\ndefault_room.password_protected = true", 2, 14,
        "needs a password, or an http_auth_pool")]
    [InlineData("[modules.mod_smack]", 1, 10, "did you mean 'mod_smacks'?")]
    public void One_mistake_is_one_problem(string toml, int line, int column, string says)
    {
        var (config, problems) = ConfigCheck.Parse(toml);
        Assert.Null(config);
        var problem = Assert.Single(problems, p => p.IsError);
        Assert.Contains(says, problem.ToString(), StringComparison.Ordinal);
        Assert.Equal((line, column), (problem.Line, problem.Column));
    }

    [Theory]
    [InlineData("[[listen.c2s]]\ntls.mode = 'none'\n[[listen.s2s]]\nip_address = '::1'\n" +
        "tls.mode = 'starttls_optional'")]
    [InlineData("[[listen.c2s]]\nip_address = '0.0.0.0'\n[[listen.http]]\nip_address = '::'\ntls.mode = 'tls'")]
    [InlineData("[[listen.c2s]]\nport = 0\n[[listen.c2s]]\nport = 0")]
    [InlineData("[[listen.c2s]]\nip_address = '127.0.0.1'\n[[listen.c2s]]\nip_address = '127.0.0.2'")]
    [InlineData("[[listen.c2s]]\ntls.mode = 'starttls_required'")]
    [InlineData("[modules.mod_muc]\nenabled = false\nhost = '@HOST@'")]
    [InlineData("[access]\nmine = [{acl = 'admin', value = 5}]\n[modules.mod_muc]\naccess = 'mine'")]
    [InlineData("[modules.mod_offline]\naccess_max_user_messages = 'max_user_offline_messages'")]
    public void What_is_fine_is_not_complained_about(string toml) =>
        Assert.DoesNotContain(ConfigCheck.Parse(toml).Problems, p => !IsNotYet(p));

    [Fact]
    public void A_class_that_does_not_exist_matches_nobody_and_is_told()
    {
        var (config, problems) = ConfigCheck.Parse(
            "[access]\nx = [{acl = 'stuff', value = 'allow'}]\n[acl]\nstaff = [{}]");
        Assert.NotNull(config);
        Assert.Equal("muster.toml:2:13: warning: access.x[0].acl: there is no access class 'stuff'; define it under " +
            "[acl], " +
            "or did you mean 'staff'?", Assert.Single(problems).ToString());
    }

    [Fact]
    public void A_pool_is_missed_with_a_warning_where_there_is_none_at_all()
    {
        var (config, problems) = ConfigCheck.Parse("[modules.mod_muc]\nhttp_auth_pool = 'p'");
        Assert.NotNull(config);
        Assert.StartsWith("muster.toml:2:18: warning: modules.mod_muc.http_auth_pool: there is no pool 'p'; " +
            "define it under [outgoing_pools.http]", Assert.Single(problems).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_are_told_in_the_order_of_the_file()
    {
        var problems = ConfigCheck.Parse("""
            [general]
            hosts = 1
            [[listen.c2s]]
            port = "x"
            ip_address = "10.0.0.1"
            tls.mode = "none"
            shaper = "s"
            [nonsense]
            [modules.mod_muc]
            access = "who"
            history_size = -1
            """).Problems;
        Assert.Equal([2, 4, 6, 7, 8, 10, 11], problems.Where(p => p.IsError).Select(p => p.Line));
    }

    [Fact]
    public void Files_that_are_named_must_be_there()
    {
        string folder = Directory.CreateTempSubdirectory("muster-config-").FullName;
        try
        {
            string file = Path.Combine(folder, "muster.toml");
            File.WriteAllText(file, "[[listen.c2s]]\ntls.certfile = 'cert.pem'\ntls.keyfile = 'key.pem'");
            File.WriteAllText(Path.Combine(folder, "cert.pem"), "");
            var (config, problems) = ConfigCheck.Run(file);
            Assert.Null(config);
            string problem = Assert.Single(problems).ToString();
            Assert.StartsWith($"{file}:3:5: listen.c2s[0].tls.keyfile: there is no private key {folder}", problem,
                StringComparison.Ordinal);

            File.WriteAllText(Path.Combine(folder, "key.pem"), "");
            Assert.Equal(Path.Combine(folder, "key.pem"), ConfigCheck.Run(file).Config!.Listen.C2s[0].Tls.KeyFile);
            Assert.Contains("cannot be read", Assert.Single(ConfigCheck.Run(folder + "/none").Problems).ToString(),
                StringComparison.Ordinal);
            Assert.Contains("cannot be read", Assert.Single(ConfigCheck.Run(folder).Problems).ToString(),
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_comparison_says_what_a_reload_applies()
    {
        var diff = Diff("[modules.mod_muc]\nhistory_size = 5\n[shaper.a]\nmax_rate = " +
            "1\n[[listen.component]]\npassword = 'old'",
            "[modules.mod_muc]\nhistory_size = 6\nhost = 'rooms.@HOST@'\n[shaper.b]\nmax_rate = " +
            "2\n[[listen.component]]\npassword = 'new'");
        Assert.Equal(["modules.mod_muc.history_size: 5 -> 6", "shaper.a.max_rate: 1 -> not set",
            "shaper.b.max_rate: not set -> 2"],
            diff.Live.Select(c => c.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(["listen.component[0].password: (secret) -> (secret)",
            "modules.mod_muc.host: \"conference.@HOST@\" -> \"rooms.@HOST@\""],
            diff.NeedRestart.Select(c => c.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Writing_a_default_down_or_reordering_a_file_is_no_change()
    {
        Assert.True(Diff("[general]\nhosts = ['localhost']\n[auth]\nscram_iterations = 10_000", "").IsEmpty);
        Assert.True(Diff("[general]\nloglevel = 'debug'\n[auth]",
            "auth = {}\n[general]\nloglevel = \"debug\"").IsEmpty);
    }

    [Theory]
    [InlineData("[general]\nlanguage = 'de'", 1)]
    [InlineData("[[listen.c2s]]\nport = 5222\naccess = 'all'\nshaper = 'none'", 2)]
    [InlineData("[modules.mod_muc_offline_delivery]\nmuc_offline_delivery_max_targets = 1", 0)]
    [InlineData("[modules.mod_cloud_notify]\npush_max_devices = 1", 0)]
    [InlineData("[modules.mod_ping_muc]", 0)]
    [InlineData("[modules.mod_muc]\nhistory_size = 1", 0)]
    public void What_this_version_does_not_have_is_taken_with_a_warning(string toml, int warnings)
    {
        var (config, problems) = ConfigCheck.Parse(toml);
        Assert.NotNull(config);
        Assert.Equal(warnings, problems.Count(IsNotYet));
    }

    [Fact]
    public void What_is_not_there_yet_is_declared()
    {
        var groups = ConfigDescription.Groups();
        var known = groups.Select(g => g.Path).Concat(groups.SelectMany(g => g.Options).Select(o => o.Path)).ToHashSet(
            );
        Assert.All(NotYet.Paths, path => Assert.Contains(path, known));
    }

    static bool IsNotYet(ConfigProblem problem) =>
        !problem.IsError && problem.Text.StartsWith("this version does not have", StringComparison.Ordinal);

    static ConfigDiff Diff(string old, string @new) =>
        ConfigDiff.Between(ConfigCheck.Parse(old).Config!, ConfigCheck.Parse(@new).Config!);
}
