using System.Globalization;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0012: Last Activity. The uptime of the server, and since when an account is not there; what is asked of
/// a resource goes to its client (see <see cref="Routing.LocalDomain"/>).</summary>
sealed class LastActivity : Feature
{
    public const string Ns = "jabber:iq:last";

    public override FeatureInfo Info { get; } = new(12, "2.0", Support.Complete);

    public override void Register(Slots slots)
    {
        var clock = slots.Services.Clock;
        var startedAt = clock.GetUtcNow();
        slots.Disco(Target.Server | Target.Account, Ns);
        slots.Iq(IqType.Get, Ns, "query", Target.Server, (_, iq) => iq.Result(Since(startedAt, clock, null)));
        slots.Iq(IqType.Get, Ns, "query", Target.Account, OfAccount);
    }

    static async ValueTask<Iq?> OfAccount(IqContext context, Iq iq)
    {
        var account = context.Address;
        var clock = context.Services.Clock;
        // §3, §8: only who may see the presence; an account that does not exist shows it to nobody.
        if (!context.IsOwner(iq) && await context.Services.Accounts.Load(account) is var state &&
            state?.Roster.StateOf(iq.From).ShowsContact != true)
            return iq.Refuse(StanzaError.Forbidden);
        // §3: somebody is there, which is all that is told.
        if (context.Services.Sessions.Find(account) is not null)
        {
            return iq.Result(Since(clock.GetUtcNow(), clock, null));
        }
        if (await context.Services.Database.Accounts.Find(account) is not { } found)
        {
            return iq.Refuse(StanzaError.Forbidden);
        }
        return iq.Result(Since(found.LastActiveAt ?? found.CreatedAt, clock, found.LastStatus));
    }

    static Element Since(DateTimeOffset time, TimeProvider clock, string? status)
    {
        long seconds = Math.Max(0, (long)(clock.GetUtcNow() - time).TotalSeconds);
        return new Element(Ns, "query", status).With("seconds", seconds.ToString(CultureInfo.InvariantCulture));
    }
}
