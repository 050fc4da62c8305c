using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Telemetry;

namespace Muster.Server.Features;

/// <summary>XEP-0313: Message Archive Management, of accounts, with the preferences of XEP-0441. Here a user's
/// questions come in and old messages go; messages are kept where they are routed
/// (<see cref="Routing.LocalDomain"/>), rooms decide themselves who may read, and both are answered by
/// <see cref="Archives.ArchiveReaders"/>.</summary>
sealed class Mam : Feature
{
    const int PurgeMax = 500;

    static readonly TimeSpan PurgeInterval = TimeSpan.FromHours(1);

    public override FeatureInfo Info { get; } =
        new(313, "1.1.3", Support.Complete, "accounts without messages of rooms; no pages by index");

    public override void Register(Slots slots)
    {
        foreach (string feature in (string[])
            [ArchiveRequest.Namespace, ArchiveRequest.Extended, ArchiveRequest.GroupchatField])
            slots.Disco(Target.Account, feature);
        slots.Iq(IqType.Get, ArchiveRequest.Namespace, "query", Target.Account, Form);
        slots.Iq(IqType.Set, ArchiveRequest.Namespace, "query", Target.Account, Query);
        slots.Iq(IqType.Get, ArchiveRequest.Namespace, "metadata", Target.Account, Metadata);
        slots.Iq(IqType.Get, ArchiveRequest.Namespace, ArchivePrefs.Name, Target.Account, Prefs);
        slots.Iq(IqType.Set, ArchiveRequest.Namespace, ArchivePrefs.Name, Target.Account, SetPrefs);
        // XEP-0386 §3.2: who binds with the login hears unasked where the archive begins and ends. An empty one is left
        // out.
        slots.InlineBind(new(null, async (session, _) =>
            await slots.Services.Database.Archive.Range(session.Account) is { } range
                ? Archives.ArchiveReaders.ToEnds(range, slots.Services.ArchiveIds)
                : null));
        slots.Background(PurgeInterval, stop => Purge(slots.Services, stop));
    }

    // §8.1: an archive is for its owner alone. An account that does not exist looks the same.
    static Iq Form(IqContext context, Iq iq) => context.IsOwner(iq)
        ? iq.Result(new Element(ArchiveRequest.Namespace, "query", ArchiveRequest.Form(knowsGroupchat: true)))
        : iq.Refuse(StanzaError.Forbidden);

    static ValueTask<Iq?> Query(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return new(iq.Refuse(StanzaError.Forbidden));
        if (ArchiveRequest.Read(iq.Payload!, knowsGroupchat: true, out var problem, context.Services.ArchiveIds)
            is not { } request)
            return new(iq.Refuse(problem!));
        if (context.Sender is { } session) session.UsesArchive = true;
        context.Services.Archives.Post(new(iq, context.Address, request));
        return default;
    }

    static ValueTask<Iq?> Metadata(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return new(iq.Refuse(StanzaError.Forbidden));
        context.Services.Archives.Post(new(iq, context.Address, null));
        return default;
    }

    static async ValueTask<Iq?> Prefs(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        var services = context.Services;
        var prefs = (await services.Accounts.Load(context.Address))?.Archiving
            ?? ArchivePrefs.Of(services.Local.ArchiveDefaultOf(context.Address));
        return iq.Result(prefs.ToElement());
    }

    static async ValueTask<Iq?> SetPrefs(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        if (ArchivePrefs.Read(iq.Payload!, out var problem) is not { } prefs) return iq.Refuse(problem!);
        using (var turn = await context.Services.Accounts.Take(context.Address))
        {
            if (!turn.Exists) return iq.Refuse(StanzaError.Forbidden);
            await turn.SetArchiving(prefs);
        }
        return iq.Result(prefs.ToElement());
    }

    /// <summary>Removes what is older than messages are kept, of rooms and accounts; a piece at a time, so that what is
    /// said meanwhile is stored in between.</summary>
    static async ValueTask Purge(Services services, CancellationToken stop)
    {
        if (services.ArchiveRetention is not { } days) return;
        var archive = services.Database.Archive;
        var before = services.Clock.GetUtcNow() - TimeSpan.FromDays(days);
        int purged = 0;
        for (var after = Jid.None; ;)
        {
            var old = await archive.WithOlder(before, after, PurgeMax, stop);
            foreach (var one in old)
            {
                int removed;
                do
                {
                    removed = await archive.Purge(one, before, PurgeMax, stop);
                    purged += removed;
                }
                while (removed == PurgeMax);
            }
            if (old.Count < PurgeMax) break;
            after = old[^1];
        }
        if (purged == 0) return;
        services.Meters.Archives.Purged(purged);
        ArchivesLog.Purged(services.Log, purged, days);
    }
}
