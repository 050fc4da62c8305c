namespace Muster.Server.Features;

/// <summary>XEP-0484: Fast Authentication Streamlining Tokens. They are asked for and used in the negotiation of the
/// stream; here those are forgotten that are no longer good.</summary>
sealed class LoginTokens : Feature
{
    public override FeatureInfo Info { get; } = new(484, "0.2.0", Support.Complete,
        "HT-SHA-256-ENDP and HT-SHA-256-NONE; nothing is taken from TLS 0-RTT");

    public override void Register(Slots slots) =>
        slots.Background(TimeSpan.FromHours(1), slots.Services.Tokens.RemoveExpired);
}
