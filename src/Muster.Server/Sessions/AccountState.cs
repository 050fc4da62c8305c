using Muster.Core.Archive;
using Muster.Core.Rosters;
using Muster.Core.Sessions;

namespace Muster.Server.Sessions;

/// <summary>What is kept of an account in memory while it has sessions, so that no message and no presence between
/// local users needs the store. Immutable: replaced as a whole under the account's turn.</summary>
sealed record AccountState(Roster Roster, BlockList Blocked)
{
    /// <summary>An account that has nothing.</summary>
    public static readonly AccountState Empty = new(Roster.Empty, BlockList.Empty);

    /// <summary>Which conversations are archived; null while the user has not said so (XEP-0441).</summary>
    public ArchivePrefs? Archiving { get; init; }

    /// <summary>Whether the server brings the user back into rooms of other servers; null while the user has not said
    /// so.</summary>
    public bool? Rejoins { get; init; }
}
