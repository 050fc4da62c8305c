using Muster.Protocol.Addresses;

namespace Muster.Server.Accounts;

/// <summary>How accounts come into being: the section <c>[registration]</c>.</summary>
sealed record RegistrationSettings
{
    /// <summary>Whether anyone may make an account (XEP-0077); with an invitation one always may.</summary>
    public bool InBand { get; init; }
    /// <summary>Which accounts may be made.</summary>
    public Func<Jid, bool> MayRegister { get; init; } = static _ => true;
    /// <summary>Registrations an hour and address; 0 for no limit.</summary>
    public int RateLimit { get; init; } = 10;
    /// <summary>How long an invitation is good.</summary>
    public TimeSpan InvitationLifetime { get; init; } = TimeSpan.FromDays(7);
    /// <summary>Who may invite people to make an account of which the name is given (XEP-0401 §5.4):
    /// administrators.</summary>
    public Func<Jid, bool> MayCreateAccounts { get; init; } = static _ => false;
    /// <summary>The address of a page that explains an invitation, from its domain and token; null where there is
    /// none.</summary>
    public Func<Jid, string, string?> LandingPage { get; init; } = static (_, _) => null;
}
