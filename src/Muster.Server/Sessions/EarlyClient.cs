using Muster.Protocol.Addresses;

namespace Muster.Server.Sessions;

/// <summary>What is remembered of a client that has not logged in, from one request to the next on the same
/// connection.</summary>
/// <param name="address">Where it connects from, for limits.</param>
sealed class EarlyClient(string address)
{
    /// <summary>Where it connects from.</summary>
    public string Address { get; } = address;

    /// <summary>The invitation that it showed and that was good (XEP-0445 §4), or null.</summary>
    public string? Invitation { get; set; }

    /// <summary>When it was shown: from then on it does not expire for this connection.</summary>
    public DateTimeOffset InvitationShownAt { get; set; }

    /// <summary>The account that it registered, or <see cref="Jid.None"/>.</summary>
    public Jid Registered { get; set; }
}
