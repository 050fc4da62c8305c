using Muster.Core.Joins;

namespace Muster.Server.Routing;

/// <summary>How the sessions of one domain are looked after in rooms of other servers (Prosody's mod_track_muc_joins
/// and mod_ping_muc).</summary>
sealed record JoinRules
{
    /// <summary>Whether it is known who is where.</summary>
    public bool Tracks { get; init; } = true;

    /// <summary>Whether rooms are asked.</summary>
    public bool Asks { get; init; } = true;

    /// <summary>Rooms known of one session (<c>track_muc_joins_max</c>).</summary>
    public int RoomsMax { get; init; } = 1000;

    /// <summary>What is asked when.</summary>
    public CheckRules Checks { get; init; } = new();

    /// <summary>Whether sessions are brought back into rooms, where their users have not said so
    /// (<c>ping_muc_autorejoin</c>).</summary>
    public bool Rejoins { get; init; }

    /// <summary>Status codes of the notice to the client (<c>ping_muc_status_codes</c>).</summary>
    public IReadOnlyList<int> StatusCodes { get; init; } = [110, 330, 333];
}
