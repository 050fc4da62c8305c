using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0191: Blocking Command. Here the list is changed, with what the world sees of a change; what it blocks
/// is decided where stanzas come in (<see cref="Routing.LocalDomain"/>) and go to a session
/// (<see cref="Session.IsBlocked"/>).</summary>
sealed class Blocking : Feature
{
    const string Ns = "urn:xmpp:blocking";

    public override FeatureInfo Info { get; } = new(191, "1.3", Support.Complete);

    public override void Register(Slots slots)
    {
        slots.Disco(Target.Server | Target.Account, Ns);
        slots.Iq(IqType.Get, Ns, "blocklist", Target.Account, Get);
        slots.Iq(IqType.Set, Ns, "block", Target.Account, Block);
        slots.Iq(IqType.Set, Ns, "unblock", Target.Account, Unblock);
    }

    static async ValueTask<Iq?> Get(IqContext context, Iq iq)
    {
        if (context.Sender is not { } session || !context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        using var turn = await context.Services.Accounts.Take(context.Address);
        session.WatchesBlocked = true;
        // Written in the turn, so that no push comes before the list that it changes.
        session.Deliver(iq.Result(ToElement("blocklist", turn.State.Blocked.Jids)));
        return null;
    }

    static async ValueTask<Iq?> Block(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        if (!TryRead(iq.Payload!, out var jids)) return iq.Refuse(StanzaError.JidMalformed);
        // §3.3.
        if (jids.Count == 0) return iq.Refuse(StanzaError.BadRequest);
        var services = context.Services;
        BlockList before, after;
        using (var turn = await services.Accounts.Take(context.Address))
        {
            before = turn.State.Blocked;
            after = new BlockList(before.Jids.Concat(jids));
            if (after.Jids.Count > services.Limits.BlockListItemsMax)
            {
                services.Meters.Accounts.LimitReached("blocklist");
                return iq.Refuse(StanzaError.ResourceConstraint.WithText(
                    $"at most {services.Limits.BlockListItemsMax} addresses can be blocked"));
            }
            await turn.SetBlocked(after);
            Push(services, turn.Sessions, ToElement("block", jids));
        }
        await Hide(context, jids, before, after);
        return iq.Result();
    }

    static async ValueTask<Iq?> Unblock(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        if (!TryRead(iq.Payload!, out var jids)) return iq.Refuse(StanzaError.JidMalformed);
        BlockList before, after;
        using (var turn = await context.Services.Accounts.Take(context.Address))
        {
            before = turn.State.Blocked;
            // §3.5: without items, all.
            after = jids.Count == 0 ? BlockList.Empty : new BlockList(before.Jids.Except(jids));
            await turn.SetBlocked(after);
            Push(context.Services, turn.Sessions, ToElement("unblock", jids));
        }
        await Show(context, before, after);
        return iq.Result();
    }

    /// <summary>§3.3: whoever saw the user and is blocked now sees the user go.</summary>
    static async ValueTask Hide(IqContext context, IReadOnlyList<Jid> jids, BlockList before, BlockList after)
    {
        var (services, account) = (context.Services, context.Address);
        if (services.Sessions.Find(account) is not { } online) return;
        foreach (var contact in online.State.Roster.Subscribers.ToArray())
            if (after.Blocks(contact) && !before.Blocks(contact)) await services.Local.TellEnd(account, contact);
        // One resource alone of a contact: the end of the presence goes to it and to no other.
        foreach (var jid in jids)
            if (jid.IsFull && !before.Blocks(jid) && online.State.Roster.StateOf(jid).ShowsContact)
                await services.Local.TellEnd(account, jid);
        foreach (var session in online.Snapshot)
            foreach (var directed in session.TakeDirected(to => after.Blocks(to) && !before.Blocks(to)))
                await services.Router.Route(new Presence(PresenceType.Unavailable, session.Jid, directed, null));
    }

    /// <summary>§3.4: whoever may see the user and is no longer blocked sees the user again; and the user sees
    /// them.</summary>
    static async ValueTask Show(IqContext context, BlockList before, BlockList after)
    {
        var (services, account) = (context.Services, context.Address);
        if (services.Sessions.Find(account) is not { } online) return;
        var freed = online.State.Roster.Items.Where(item => before.Blocks(item.Jid) && !after.Blocks(item.Jid))
            .ToArray();
        foreach (var item in freed)
            if (item.State.ShowsContact) await services.Local.Tell(account, item.Jid);
        var publishers = freed.Where(item => item.State.SeesContact).Select(item => item.Jid).ToArray();
        foreach (var session in online.Snapshot)
            if (session.Available is not null) await services.Local.Probe(session, publishers);
    }

    static void Push(Services services, IReadOnlyList<Session> sessions, Element payload)
    {
        foreach (var session in sessions)
            if (session.WatchesBlocked) services.Local.Push(session, payload);
    }

    static bool TryRead(Element request, out IReadOnlyList<Jid> jids)
    {
        var read = new List<Jid>();
        jids = read;
        foreach (var item in request.Children(Ns, "item"))
        {
            if (!Jid.TryParse(item.Attribute("jid"), out var jid)) return false;
            read.Add(jid);
        }
        return true;
    }

    static Element ToElement(string name, IEnumerable<Jid> jids) =>
        new(Ns, name, jids.Select(jid => new Element(Ns, "item").With("jid", jid.ToString())));
}
