using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>Which registration of a push service is meant.</summary>
/// <param name="Host">Who pushes: a domain of accounts, or a room service.</param>
/// <param name="Owner">Bare JID of the user, of this server or another.</param>
/// <param name="Scope">The room that it is for, or <see cref="Jid.None"/> for all that the host has.</param>
/// <param name="App">The push service (XEP-0357: app server).</param>
/// <param name="Node">The node there; may be empty.</param>
internal readonly record struct PushKey(string Host, Jid Owner, Jid Scope, Jid App, string Node);

/// <summary>A push service that a user has registered (XEP-0357 §5), with what became of it.</summary>
internal sealed record StoredPush
{
    /// <summary>Which it is.</summary>
    public required PushKey Key { get; init; }
    /// <summary>The form to be sent back with each push, as it came; null when there was none.</summary>
    public string? Options { get; init; }
    /// <summary>The user's wishes: the other children of <c>enable</c>, in one element; null when there are
    /// none.</summary>
    public string? Filters { get; init; }
    /// <summary>The client installation, or the resource; null when neither is known.</summary>
    public string? Device { get; init; }
    /// <summary>Language of the client's stream, or null.</summary>
    public string? Lang { get; init; }
    /// <summary>When it was first registered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it was last registered: its age.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
    /// <summary>Errors in a row.</summary>
    public int Errors { get; init; }
    /// <summary>The condition of the last one; null when the last push was taken.</summary>
    public string? LastError { get; init; }
    /// <summary>When the last one was counted; null without errors.</summary>
    public DateTimeOffset? LastErrorAt { get; init; }
    /// <summary>When something was last pushed.</summary>
    public DateTimeOffset? LastPushAt { get; init; }
    /// <summary>When a push was last taken.</summary>
    public DateTimeOffset? LastSuccessAt { get; init; }
}

/// <summary>The push services of users. Those of an account go with it; users of other servers are not accounts, so
/// theirs go by age.</summary>
internal interface IPushStore
{
    /// <summary>What a user has registered at a host, the oldest first.</summary>
    ValueTask<IReadOnlyList<StoredPush>> Load(string host, Jid owner, CancellationToken cancel = default);

    /// <summary>Who has registered something at a host, and whether some of it came with wishes.</summary>
    ValueTask<IReadOnlyList<(Jid Owner, bool HasFilters)>> Owners(string host, CancellationToken cancel = default);

    /// <summary>Adds or replaces a registration; what is known of errors and pushes of one that is replaced stays, but
    /// for the count of errors. When the user has more than <paramref name="max"/> at the host then, the oldest
    /// go.</summary>
    /// <returns>Those that went.</returns>
    ValueTask<IReadOnlyList<PushKey>> Enable(StoredPush push, int max, CancellationToken cancel = default);

    /// <summary>Keeps what became of pushes: errors and times. Nothing when the registration is gone.</summary>
    ValueTask Note(StoredPush push, CancellationToken cancel = default);

    /// <summary>Removes one registration. False when it was not there.</summary>
    ValueTask<bool> Remove(PushKey key, CancellationToken cancel = default);

    /// <summary>Removes all that a user has registered anywhere.</summary>
    ValueTask<int> RemoveAll(Jid owner, CancellationToken cancel = default);

    /// <summary>Removes those that were neither registered nor of use since a time; returns how many.</summary>
    ValueTask<int> RemoveUnused(DateTimeOffset since, CancellationToken cancel = default);
}
