using System.Net;
using Muster.Core.Limits;

namespace Muster.Server.Config;

/// <summary>The whole configuration, read and checked. It never changes: a reload makes another one.</summary>
/// <remarks>
/// Every configuration class reads one table. An option is one property with one statement, from which the reader, the
/// checks, <c>config describe</c> and docs/config.md all come (see <see cref="Section"/>).
/// </remarks>
sealed class ServerConfig
{
    const string Source = "Muster";
    const string ListenText = "The doors of the server. A file that names no listener at all gets c2s 5222, s2s " +
        "5269 and " +
        "http 5280, all on 127.0.0.1; one that does gets exactly those it names.";

    readonly Dictionary<string, HostConfig> _hosts = new(StringComparer.Ordinal);

    internal ServerConfig(Section s)
    {
        General = s.Table("general", "The server as a whole.", t => new GeneralConfig(t), Source);
        Storage = s.Table("storage", "Where everything is kept.", t => new StorageConfig(t), Source);
        Listen = s.Table("listen", ListenText, t => new ListenConfig(t), Source);
        Auth = s.Table("auth", "How clients prove who they are.", t => new AuthConfig(t), Source);
        Registration = s.Table("registration", "How accounts come into being.", t => new RegistrationConfig(t), Source);
        Classes = s.NamedLists("acl", "Access classes: groups of users that access rules name. A user is in a class " +
            "when " +
            "one of its patterns fits. The class \"local\" has the users of the current domain unless it is defined " +
            "otherwise; \"all\" has everybody.", t => new AclPattern(t), "MongooseIM acl", reloads: true);
        Rules = s.NamedLists("access", "Access rules, which options such as mod_muc's access_create name. The first " +
            "clause " +
            "whose class has the user counts; without one it is \"deny\". Always there are \"all\" and \"none\"; " +
            "\"c2s\", " +
            "\"local\", \"muc\", \"muc_create\", \"muc_admin\", \"account_admin\" and \"register\" are there unless " +
                "they are defined " +
            "otherwise.",
            t => new AccessClauseConfig(t), "MongooseIM access", reloads: true);
        Access = BuiltInAccess.With(Classes, Rules, General.Hosts);
        Shapers = s.Named("shaper", "Shapers, which options such as a listener's shaper name.", t =>
            new ShaperConfig(t),
            "MongooseIM shaper", reloads: true);
        S2s = s.Table("s2s", "How the server talks with other servers.", t => new S2sConfig(t), Source);
        OutgoingPools = s.Table("outgoing_pools", "Services that the server asks.", t => new OutgoingPoolsConfig(t),
            "MongooseIM outgoing_pools");
        Modules = s.Table("modules", "What the server offers. Every module is on with its defaults; enabled = false " +
            "turns " +
            "one off.", t => new ModulesConfig(t), Source);
        HostConfigs = s.Tables("host_config", "What one served domain has otherwise: a table modules in here changes " +
            "single options of [modules] for that domain.", t => new HostConfig(t, s), "MongooseIM host_config");
        Limits = s.Table("limits", "Bounds that hold whatever others do.", LimitsConfig.Read, Source, reloads: true);
        Instrumentation = s.Table("instrumentation", "Metrics.", t => new InstrumentationConfig(t),
            "MongooseIM instrumentation");
        InternalDatabases = s.Table("internal_databases",
            "MongooseIM's internal databases: only their names matter here.",
            t => new InternalDatabasesConfig(t), "MongooseIM internal_databases");
        Values = s.Values;
        foreach (var host in HostConfigs) _hosts.TryAdd(host.Host, host);
    }

    /// <summary>Everything at its default: what a first start without a file uses.</summary>
    public static ServerConfig Default { get; } = ConfigCheck.Parse("", "defaults").Config!;

    public GeneralConfig General { get; }
    public StorageConfig Storage { get; }
    public ListenConfig Listen { get; }
    public AuthConfig Auth { get; }
    public RegistrationConfig Registration { get; }
    /// <summary>The rules of the sections acl and access, and the built-in ones.</summary>
    public AccessRules Access { get; }
    public IReadOnlyDictionary<string, ShaperConfig> Shapers { get; }
    public S2sConfig S2s { get; }
    public OutgoingPoolsConfig OutgoingPools { get; }
    /// <summary>The modules of a domain that has nothing of its own; ask <see cref="ModulesOf"/>.</summary>
    public ModulesConfig Modules { get; }
    public ServerLimits Limits { get; }
    public InstrumentationConfig Instrumentation { get; }

    /// <summary>The domain that speaks while a connection has not said which one it wants.</summary>
    public string DefaultDomain => General.DefaultServerDomain ?? General.Hosts[0];

    /// <summary>The modules of a served domain, in its normal form.</summary>
    public ModulesConfig ModulesOf(string host) => _hosts.TryGetValue(host, out var own) ? own.Modules : Modules;

    internal IReadOnlyDictionary<string, IReadOnlyList<AclPattern>> Classes { get; }
    internal IReadOnlyDictionary<string, IReadOnlyList<AccessClauseConfig>> Rules { get; }
    internal IReadOnlyList<HostConfig> HostConfigs { get; }
    internal InternalDatabasesConfig InternalDatabases { get; }

    /// <summary>Every option with its value, for comparing two configurations.</summary>
    internal IReadOnlyList<OptionValue> Values { get; }

    /// <summary>Whether only this machine reaches the address.</summary>
    internal static bool IsLoopback(IPAddress address) =>
        IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
