using System.Security.Cryptography;
using Muster.Core.Archive;
using Muster.Server.Storage;

namespace Muster.Server.Archives;

/// <summary>The key by which ids of archived messages are written. It is made once and goes with the data.</summary>
static class ArchiveKey
{
    const string StoredName = "archive-ids";

    /// <summary>Takes the key from the database, or makes it.</summary>
    /// <exception cref="StorageException">It cannot be read or written, or is none.</exception>
    public static async ValueTask<ArchiveIds> Open(Database database)
    {
        var key = await database.ServerKeys.GetOrAdd(
            StoredName, RandomNumberGenerator.GetBytes(ArchiveIds.KeyBytes));
        return key.Length == ArchiveIds.KeyBytes ? new ArchiveIds(key.Span) : throw new StorageException(
            StorageFault.Unreadable, $"the stored key '{StoredName}' is none: remove the row from server_keys; " +
            "clients then read their archives from the beginning");
    }
}
