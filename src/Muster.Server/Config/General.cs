using Microsoft.Extensions.Logging;

namespace Muster.Server.Config;

/// <summary>What concerns the whole server.</summary>
sealed class GeneralConfig(Section s)
{
    static readonly (string, LogLevel)[] LogLevels =
    [
        ("none", LogLevel.None), ("critical", LogLevel.Critical), ("error", LogLevel.Error),
        ("warning", LogLevel.Warning),
        ("info", LogLevel.Information), ("debug", LogLevel.Debug), ("all", LogLevel.Trace),
        // The finer steps of MongooseIM lead to the nearest that exists.
        ("emergency", LogLevel.Critical), ("alert", LogLevel.Critical), ("notice", LogLevel.Information),
    ];

    public IReadOnlyList<string> Hosts { get; } =
        s.Domains("hosts", ["localhost"], "The domains served.", nonEmpty: true);

    /// <summary>Null: the first of <see cref="Hosts"/>; ask <see cref="ServerConfig.DefaultDomain"/>.</summary>
    public string? DefaultServerDomain { get; } = s.OptionalDomain("default_server_domain", "the first of hosts",
        "The domain that speaks while a connection has not said which one it wants.");

    public LogLevel LogLevel { get; } = s.Choice(
        "loglevel", LogLevel.Information, "How much is logged.", LogLevels, reloads: true);
    public string Language { get; } = s.Text(
        "language", "en", "Language tag of texts that the server writes, sent as xml:lang.", nonEmpty: true,
        reloads: true);

    // MongooseIM's, about storage and clustering that Muster does in its own way.
    internal bool Ignored { get; } = s.Foreign("host_types", "there are no dynamic domains; name the domains in hosts")
        | s.Foreign("sm_backend", "sessions are kept in memory, or on the bus of a cluster")
        | s.Foreign("s2s_backend", "outgoing connections are kept in memory")
        | s.Foreign("component_backend", "components are kept in memory")
        | s.Foreign("registration_timeout", "registrations are limited by registration.rate_limit");
}

/// <summary>Which database keeps everything.</summary>
enum StorageBackend { Sqlite, Postgres, Memory }

/// <summary>What a commit survives.</summary>
enum Durability { Normal, Full }

/// <summary>Where everything is kept that must outlive the process.</summary>
sealed class StorageConfig(Section s)
{
    public StorageBackend Backend { get; } = s.Choice("backend", StorageBackend.Sqlite,
        "The database: \"sqlite\" is embedded, \"postgres\" is a server, \"memory\" forgets everything at the end " +
            "(tests).",
        [("sqlite", StorageBackend.Sqlite), ("postgres", StorageBackend.Postgres), ("memory", StorageBackend.Memory)]);

    public string? Path { get; } = s.OptionalFile(
        "path", "muster.db in the data folder", "The database file of \"sqlite\".");

    public string? Connection { get; } = s.OptionalText(
        "connection", "\"postgres\" needs it", "Connection string of \"postgres\", as Npgsql takes it.", secret: true);

    public Durability Durability { get; } = s.Choice("durability", Durability.Normal,
        "What a message that was shown or acknowledged survives: \"normal\" a crash of the process, \"full\" also a " +
            "loss of power, at the price of a disk flush for each batch.",
        [("normal", Durability.Normal), ("full", Durability.Full)]);
}

/// <summary>How often metrics that must be counted are counted, and how they are named.</summary>
sealed class InstrumentationConfig(Section s)
{
    public TimeSpan ProbeInterval { get; } =
        s.Seconds("probe_interval", 15, "Interval at which gauges that need counting are brought up to date.",
        reloads: true);

    /// <summary>Whether the file has the table: without it there is no listing.</summary>
    public bool HasExometer => Exometer.IsGiven;

    public bool AllMetricsAreGlobal => Exometer.AllMetricsAreGlobal;

    ExometerConfig Exometer { get; } = s.Table("exometer", "When this table is there, the metrics of each host are " +
        "also listed at /metrics/exometer of an HTTP listener, in the naming of Exometer: [localhost, " +
        "mod_muc_hibernations, count] 3.", t => new ExometerConfig(t));

    /// <summary>Accepted, and always on: /metrics of an HTTP listener.</summary>
    internal bool Prometheus { get; } = s.OptionalTable(
        "prometheus", "Metrics for Prometheus: always on, at /metrics of an HTTP listener.", static _ =>
        new object()) is not null;
}

/// <summary>The listing in the naming of Exometer.</summary>
sealed class ExometerConfig(Section s)
{
    public bool IsGiven { get; } = s.IsGiven;

    public bool AllMetricsAreGlobal { get; } = s.Flag("all_metrics_are_global", false,
        "Puts global in the place of the host into the names of metrics, adding up all hosts.");
}

/// <summary>MongooseIM's internal databases, which select where it keeps what is online. Names are checked against each
/// other; Muster needs neither.</summary>
sealed class InternalDatabasesConfig(Section s)
{
    internal bool IsGiven { get; } = s.IsGiven;
    internal bool HasMnesia { get; } = s.OptionalTable(
        "mnesia", "Enables the name \"mnesia\" for online backends. Without internal_databases it is enabled.",
        static _ => new object()) is not null;
    internal bool HasCets { get; } = s.OptionalTable(
        "cets", "Enables the name \"cets\" for online backends.", t => new CetsConfig(t)) is not null;
}

/// <summary>Accepted for the sake of MongooseIM's configurations; clusters find their nodes through the bus.</summary>
sealed class CetsConfig(Section s)
{
    internal bool Ignored { get; } = s.Foreign("backend", "nodes find each other through the bus")
        | s.Foreign("cluster_name", "nodes find each other through the bus")
        | s.Foreign("node_list_file", "nodes find each other through the bus");
}
