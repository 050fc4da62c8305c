namespace Muster.Server.Storage;

/// <summary>Why a store could not do what was asked. The numbers are for logs and metrics only, never on
/// disk.</summary>
internal enum StorageFault
{
    /// <summary>The database cannot be reached, is locked by somebody else, or is closing. Trying later may
    /// help.</summary>
    Unavailable,
    /// <summary>No room on the disk, or the database may not grow. Reading goes on; writing works again when there is
    /// room.</summary>
    Full,
    /// <summary>The place cannot be written: missing rights, a read-only file system, a file that is no
    /// database.</summary>
    NotWritable,
    /// <summary>The database was made by a newer Muster, or its contents are damaged.</summary>
    Unreadable,
    /// <summary>The write does not fit what is stored: an account or room is missing, or exists already.</summary>
    Conflict,
    /// <summary>The connection broke during the commit: it may have happened or not.</summary>
    OutcomeUnknown,
    /// <summary>This backend does not offer what was asked.</summary>
    NotSupported,
}

/// <summary>
/// The one exception that leaves a store. Its message is one line made for the operator; of the write that failed
/// nothing is stored (but see <see cref="StorageFault.OutcomeUnknown"/>).
/// </summary>
internal sealed class StorageException(StorageFault fault, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>What kind of failure, for those who act on it.</summary>
    public StorageFault Fault { get; } = fault;
}
