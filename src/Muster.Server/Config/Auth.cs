using Muster.Protocol.Sasl;

namespace Muster.Server.Config;

/// <summary>How clients prove who they are.</summary>
sealed class AuthConfig(Section s)
{
    static readonly (string, SaslMechanism)[] Mechanisms = [.. SaslMechanism.All.Select(m => (m.Name, m))];

    public IReadOnlyList<SaslMechanism> Methods { get; } = s.Choices("methods",
        [.. SaslMechanism.All.Where(m => m != SaslMechanism.External)],
        "SASL mechanisms that clients may use. PLAIN is offered only over TLS, or on a \"none\" listener; EXTERNAL " +
        "only to clients with a certificate.", Mechanisms, reloads: true);

    public int ScramIterations { get; } = s.Int("scram_iterations", ScramSecret.IterationsDefault,
        "Iterations of the keys that are stored for new passwords; RFC 7677 §4 wants at least 4096.",
        min: ScramSecret.IterationsMin, max: ScramSecret.IterationsMax, reloads: true);

    public int ProvedPasswords { get; } = s.Int("proved_passwords", 10_000,
        "Passwords of PLAIN logins that are remembered in memory, as keyed hashes, so that the next login with one " +
        "does not cost all iterations again; 0 for none.", min: 0, max: 1_000_000);

    public TokenConfig Tokens { get; } = s.Table("tokens",
        "Tokens with which a client that has logged in once comes back without the password, in one round trip " +
        "(XEP-0484). A new password makes them worthless.", t => new TokenConfig(t));
}

/// <summary>Tokens to log in with again.</summary>
sealed class TokenConfig(Section s)
{
    public bool Enabled { get; } = s.Flag("enabled", true, "Whether they are given out and taken.", reloads: true);
    public TimeSpan Lifetime { get; } = s.Seconds("lifetime", 1_814_400,
        "How long a token is good. A client that stays away for longer needs the password.", min: 60, reloads: true);
    public TimeSpan Rotation { get; } = s.Seconds("rotation", 86_400,
        "Age from which a token that is used is replaced by another.", reloads: true);
}

/// <summary>How accounts come into being.</summary>
sealed class RegistrationConfig(Section s)
{
    public bool InBand { get; } = s.Flag("in_band", false,
        "Whether anyone may make an account by XEP-0077. Invitations are always possible.", reloads: true);
    public string Access { get; } =
        s.Rule("access", "register", "Who may make an account, by the name that it would have.");
    public string AccessInvite { get; } = s.Rule("access_invite", "account_admin",
        "Who may invite people to an account whose name is promised to them (XEP-0401). Everybody may invite " +
            "contacts.");
    public int RateLimit { get; } = s.Int("rate_limit", 10, "Registrations an hour and address; 0 for no limit.",
        unit: "registrations/hour", reloads: true);
    public TimeSpan InvitationLifetime { get; } =
        s.Seconds("invitation_lifetime", 604_800, "How long the link of an invitation is good.", reloads: true);
}
