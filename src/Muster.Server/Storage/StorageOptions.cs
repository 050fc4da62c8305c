using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Muster.Server.Storage;

/// <summary>The kinds of database.</summary>
internal enum StorageBackend
{
    /// <summary>Nothing outlives the process; for tests.</summary>
    Memory,
    /// <summary>One file, nothing to install.</summary>
    Sqlite,
    /// <summary>A PostgreSQL server.</summary>
    Postgres,
}

/// <summary>What a commit survives.</summary>
internal enum Durability
{
    /// <summary>A crash of the process. (PostgreSQL: loss of power too, on its primary.)</summary>
    Normal,
    /// <summary>Loss of power as well: on the disk before anybody sees it. (PostgreSQL: on synchronous standbys too.)
    /// </summary>
    Full,
}

/// <summary>The <c>[storage]</c> section, as the stores need it.</summary>
internal sealed record StorageOptions
{
    /// <summary>Which kind.</summary>
    public StorageBackend Backend { get; init; } = StorageBackend.Sqlite;
    /// <summary>SQLite: the file.</summary>
    public string Path { get; init; } = "data/muster.db";
    /// <summary>PostgreSQL: the connection string.</summary>
    public string Connection { get; init; } = "";
    /// <summary>What a commit survives.</summary>
    public Durability Durability { get; init; }
    /// <summary>How long to wait for a database that is locked or out of reach before a call fails.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Writes that may wait for the writer; more callers wait for a place.</summary>
    public int QueueMax { get; init; } = 4096;
    /// <summary>Writes that share one transaction at most.</summary>
    public int GroupMax { get; init; } = 256;
    /// <summary>Connections that read.</summary>
    public int Readers { get; init; } = 4;
    /// <summary>Where failures are told.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;
}
