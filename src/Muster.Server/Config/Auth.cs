namespace Muster.Server.Config;

/// <summary>SASL mechanisms that the server knows.</summary>
enum SaslMechanism { ScramSha256Plus, ScramSha256, ScramSha1Plus, ScramSha1, Plain, External }

/// <summary>How clients prove who they are.</summary>
sealed class AuthConfig(Section s)
{
    static readonly (string, SaslMechanism)[] Words =
    [
        ("SCRAM-SHA-256-PLUS", SaslMechanism.ScramSha256Plus), ("SCRAM-SHA-256", SaslMechanism.ScramSha256),
        ("SCRAM-SHA-1-PLUS", SaslMechanism.ScramSha1Plus),
        ("SCRAM-SHA-1", SaslMechanism.ScramSha1), ("PLAIN", SaslMechanism.Plain), ("EXTERNAL", SaslMechanism.External),
    ];

    public IReadOnlyList<SaslMechanism> Methods { get; } = s.Choices("methods",
        [SaslMechanism.ScramSha256Plus, SaslMechanism.ScramSha256, SaslMechanism.ScramSha1Plus,
        SaslMechanism.ScramSha1, SaslMechanism.Plain],
        "SASL mechanisms in the order of preference. PLAIN is offered only over TLS, or on a \"none\" listener.",
        Words, reloads: true);

    public int ScramIterations { get; } = s.Int(
        "scram_iterations", 10_000, "Iterations of the keys that are stored for new passwords; RFC 7677 §4 wants at " +
        "least 4096.",
        min: 4096, max: 10_000_000, reloads: true);
}

/// <summary>How accounts come into being.</summary>
sealed class RegistrationConfig(Section s)
{
    public bool InBand { get; } = s.Flag("in_band", false,
        "Whether anyone may make an account by XEP-0077. Invitations are always possible.", reloads: true);
    public int RateLimit { get; } = s.Int("rate_limit", 10, "Registrations an hour and address; 0 for no limit.",
        unit: "registrations/hour", reloads: true);
    public TimeSpan InvitationLifetime { get; } =
        s.Seconds("invitation_lifetime", 604_800, "How long the link of an invitation is good.", reloads: true);
}
