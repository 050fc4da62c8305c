using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>A stored document's key and size.</summary>
/// <param name="Key">The key.</param>
/// <param name="SizeBytes">Its length in UTF-8.</param>
internal readonly record struct AccountDataKey(string Key, int SizeBytes);

/// <summary>
/// Small XML documents of an account under a key such as <c>vcard</c>, <c>blocklist</c> or
/// <c>private:{namespace}name</c>. How large and how many is the caller's limit to keep.
/// </summary>
internal interface IAccountDataStore
{
    /// <summary>The document, or null.</summary>
    ValueTask<string?> Get(Jid account, string key, CancellationToken cancel = default);

    /// <summary>Adds or replaces. <see cref="StorageFault.Conflict"/> when there is no such account.</summary>
    ValueTask Set(Jid account, string key, string document, CancellationToken cancel = default);

    /// <summary>Removes; false when there was none.</summary>
    ValueTask<bool> Remove(Jid account, string key, CancellationToken cancel = default);

    /// <summary>The keys that begin with a prefix ("" for all), in code point order, with the sizes of their
    /// documents.</summary>
    ValueTask<IReadOnlyList<AccountDataKey>> Keys(Jid account, string prefix, CancellationToken cancel = default);
}
