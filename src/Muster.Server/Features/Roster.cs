using System.Globalization;
using System.Text;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;

namespace Muster.Server.Features;

/// <summary>RFC 6121 §2: the roster, read and changed by its owner's clients, with versioning (§2.6). What subscription
/// stanzas do to it is decided in <see cref="Routing.LocalDomain"/>.</summary>
sealed class Roster : Feature
{
    /// <summary>UTF-8 bytes of a contact's or a group's name: as long as the part of a JID.</summary>
    const int NameBytesMax = 1023;

    static readonly Element Versioning = new("urn:xmpp:features:rosterver", "ver");
    static readonly Element PreApproval = new("urn:xmpp:features:pre-approval", "sub");

    public override FeatureInfo Info { get; } =
        new(0, "RFC 6121", Support.Complete, "Roster, subscriptions, presence, messages");

    public override void Register(Slots slots)
    {
        slots.StreamFeature(static () => [Versioning, PreApproval]);
        slots.Disco(Target.Account, Namespaces.Roster);
        slots.Iq(IqType.Get, Namespaces.Roster, "query", Target.Account, Get);
        slots.Iq(IqType.Set, Namespaces.Roster, "query", Target.Account, Set);
    }

    static async ValueTask<Iq?> Get(IqContext context, Iq iq)
    {
        // §2.3.3: a roster is its owner's alone.
        if (context.Sender is not { } session || !context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        using var turn = await context.Services.Accounts.Take(context.Address);
        session.IsInterested = true;
        // Written in the turn, so that no push of a later change comes before the roster that it changes.
        var roster = turn.State.Roster;
        if (iq.Payload!.Attribute("ver") is not { } known) session.Deliver(iq.Result(Whole(roster, versioned: false)));
        else if (known == Text(roster.Version)) session.Deliver(iq.Result());
        else if (await Changes(context.Services, turn, known) is { } changes)
        {
            // §2.6.3: nothing in the result, then what the client missed.
            session.Deliver(iq.Result());
            foreach (var change in changes) context.Services.Local.Push(session, change);
        }
        else session.Deliver(iq.Result(Whole(roster, versioned: true)));
        return null;
    }

    static async ValueTask<Iq?> Set(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        // §2.1.5, §2.3.3: exactly one item.
        if (iq.Payload!.Elements.ToArray() is not [{ Name: "item" } item]) return iq.Refuse(StanzaError.BadRequest);
        if (!Jid.TryParse(item.Attribute("jid"), out var contact)) return iq.Refuse(StanzaError.JidMalformed);
        if (item.Attribute("subscription") == "remove")
        {
            // §2.5.3.
            return await context.Services.Local.RemoveContact(context.Address, contact)
                ? iq.Result()
                : iq.Refuse(StanzaError.ItemNotFound);
        }
        string[] groups = [.. item.Children(Namespaces.Roster, "group").Select(group => group.Text)];
        string name = item.Attribute("name") ?? "";
        var problem = contact == context.Address
            ? StanzaError.NotAllowed.WithText("nobody is a contact of oneself")
            : Check(context.Services, name, groups) ?? await Save(context, contact, name, groups);
        return problem is null ? iq.Result() : iq.Refuse(problem);
    }

    static StanzaError? Check(Services services, string name, string[] groups)
    {
        // §2.3.3, in its order: doubles, then lengths.
        if (groups.Distinct(StringComparer.Ordinal).Count() < groups.Length) return StanzaError.BadRequest;
        if (IsTooLong(name) || groups.Any(group => group.Length == 0 || IsTooLong(group)))
        {
            return StanzaError.NotAcceptable;
        }
        if (groups.Length <= services.Limits.RosterGroupsMax) return null;
        services.Meters.Accounts.LimitReached("roster");
        return StanzaError.NotAcceptable.WithText($"a contact may be in {services.Limits.RosterGroupsMax} groups");
    }

    static async ValueTask<StanzaError?> Save(IqContext context, Jid contact, string name, string[] groups)
    {
        var services = context.Services;
        using var turn = await services.Accounts.Take(context.Address);
        var roster = turn.State.Roster;
        var before = roster.Find(contact) ?? new RosterItem { Jid = contact, Listed = false };
        if (!before.Listed && roster.ListedCount >= services.Limits.RosterItemsMax)
        {
            services.Meters.Accounts.LimitReached("roster");
            return StanzaError.ResourceConstraint.WithText(
                $"a roster may have {services.Limits.RosterItemsMax} contacts");
        }
        // §2.1.2.2, §2.1.2.5: ask and subscription are not the client's to set.
        var after = before with { Name = name, Groups = groups, Listed = true };
        long version = await turn.Save(after);
        services.Local.PushRoster(turn, after.ToElement(), version);
        return null;
    }

    /// <summary>What has changed since a version that a client knows, as pushes in the order in which it happened; null
    /// when that is not known any more.</summary>
    static async ValueTask<Element[]?> Changes(Services services, AccountTurn turn, string known)
    {
        if (!long.TryParse(known, NumberStyles.None, CultureInfo.InvariantCulture, out long version)) return null;
        var stored = await services.Database.Rosters.Load(turn.Account);
        if (version < stored.CompleteSince || version > stored.Version) return null;
        // A version from before the account: of one that had the name before, whose contacts this one must not inherit.
        if (version > 0 && (await services.Database.Accounts.Find(turn.Account))?.CreatedAt is { } createdAt &&
            version < createdAt.ToUnixTimeMilliseconds()) return null;
        var items = stored.Items.Where(item => item.Listed && item.Version > version)
            .Select(item => (item.Version, Element: item.ToElement()));
        var removals = stored.Removals.Where(removal => removal.Version > version)
            .Select(removal => (removal.Version, Element: new Element(Namespaces.Roster, "item")
                .With("jid", removal.Jid.ToString()).With("subscription", "remove")));
        return [.. items.Concat(removals).OrderBy(change => change.Version)
            .Select(change => new Element(Namespaces.Roster, "query", change.Element)
                .With("ver", Text(change.Version)))];
    }

    // Appendix A.1: who only waits for an answer is not in the roster.
    static Element Whole(Core.Rosters.Roster roster, bool versioned) =>
        new Element(Namespaces.Roster, "query", roster.Items.Where(item => item.Listed)
            .Select(item => item.ToElement()))
            .With("ver", versioned ? Text(roster.Version) : null);

    static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    static bool IsTooLong(string name) => Encoding.UTF8.GetByteCount(name) > NameBytesMax;
}
