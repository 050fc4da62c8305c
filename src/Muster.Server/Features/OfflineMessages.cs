namespace Muster.Server.Features;

/// <summary>XEP-0160: Best Practices for Handling Offline Messages. Which messages are kept is decided in
/// <see cref="Core.Delivery.OfflinePolicy"/>, keeping and handing over is done in
/// <see cref="Routing.LocalDomain"/>.</summary>
sealed class OfflineMessages : Feature
{
    public override FeatureInfo Info { get; } = new(160, "1.0.1", Support.Complete);

    public override void Register(Slots slots) => slots.Disco(Target.Server | Target.Account, "msgoffline");
}
