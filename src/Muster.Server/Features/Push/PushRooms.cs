using System.Collections.Immutable;
using Muster.Core.Delivery;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Rooms;

namespace Muster.Server.Features.Push;

/// <summary>
/// Pushes of room services (muc-push.md §6, §7): to members who are not inside when something is said, and to those who
/// were thought to be inside and did not get it. For users of any server: it needs no stream management of theirs.
/// </summary>
sealed class PushRooms(PushService service, PushParts parts)
{
    /// <summary>What rooms are to tell.</summary>
    public RoomEvents Listen()
    {
        var events = new RoomEvents();
        events.ListensTo = rooms => rooms.Settings.Service.ToString() is var host
            && service.Registrations.MayHaveUsers(host) && service.RoomRules(host) is not null;
        events.Said.Add(Said);
        events.Undeliverable.Add(undelivered => service.Post(() => PushMissed(undelivered)));
        events.Entered.Add((rooms, session, room) =>
            service.Registrations.Known(rooms.Settings.Service.ToString(), session.Bare)?.Entered(room));
        events.Answered.Add(iq => service.TakeAnswer(iq));
        events.AnsweredByService = [PushContent.Namespace];
        return events;
    }

    void Said(RoomService rooms, Room room, Message message)
    {
        string host = rooms.Settings.Service.ToString();
        if (!service.Registrations.TryUsersOf(host, out var users))
        {
            // Only the first message after a start meets this. Who is absent is asked again in the room's next turn.
            service.Post(async () =>
            {
                await service.Registrations.LoadUsersOf(host);
                await rooms.Look(room.Address, found =>
                {
                    if (found is not null) Said(rooms, found, message);
                    return true;
                });
            });
            return;
        }
        if (users.IsEmpty || service.RoomRules(host) is not { } rules) return;
        var absent = room.AbsentOf(users);
        if (absent.IsEmpty) return;
        bool tellsAll = TellsAll(room.Options.MembersOnly, rules);
        service.Post(() => PushSaid(host, message, absent, tellsAll, rules));
    }

    async ValueTask PushSaid(
        string host, Message message, ImmutableArray<AbsentMember> absent, bool tellsAll, PushRules rules)
    {
        foreach (var member in absent)
        {
            bool isMention = Mentions.IsMarked(message, message.From.Bare, member.User, member.Nick);
            // The user's own wishes may say more than the service's rule.
            if (isMention || tellsAll || member.HasWishes)
                await Push(host, message, member, isMention, tellsAll, rules);
        }
    }

    async ValueTask Push(
        string host, Message message, AbsentMember member, bool isMention, bool tellsAll, PushRules rules)
    {
        var owner = await service.Registrations.Find(host, member.User);
        var pick = PushPick.Of(message, member.User);
        // Reactions, markers and the like are kept, but wake nobody.
        if (!pick.IsImportant) return;
        var targets = owner.All.Where(registration => Wants(registration, message.From.Bare, isMention || tellsAll))
            .ToList();
        if (targets.Count == 0) return;
        isMention |= member.Nick is { } nick && message.Body is { } body && Mentions.HasWord(body, nick);
        if (!owner.TryRoom(message.From.Bare, parts.Clock.GetUtcNow(), rules.RoomInterval, isMention, out int count))
        {
            parts.Meters.Dropped("interval");
            return;
        }
        foreach (var registration in targets)
            await service.Push(owner, registration, pick with { Count = count }, rules, member.Nick);
    }

    // muc-push.md §6: the rule of the service, unless the user has one of its own for the room.
    static bool Wants(PushRegistration registration, Jid room, bool isDue)
    {
        if (!registration.Key.Scope.IsNone && registration.Key.Scope != room) return false;
        return registration.Filters.Of(room) is not null || isDue;
    }

    /// <summary>muc-push.md §7: what a ghost missed is pushed once, the newest of what is worth it. What nobody knows
    /// to be missed is pushed as if it had been said after the session went: of mentions, and where all is
    /// pushed.</summary>
    async ValueTask PushMissed(Undelivered missed)
    {
        // Another device of the user is there and has it.
        if (missed.IsInside) return;
        string host = missed.Service.Settings.Service.ToString();
        var user = missed.Session.Bare;
        var important = missed.Messages.Where(message => PushContent.IsImportant(message)
            && !(message.From.IsFull && message.From.Resource.SequenceEqual(missed.Nick))).ToList();
        if (important.Count == 0) return;
        if (service.RoomRules(host) is not { } rules) return;
        var mention = important.FindLast(message => PushFilters.IsMentioned(message, user, missed.Nick));
        var newest = mention ?? important[^1];
        var pick = PushPick.Of(newest, user) with
        {
            Keys = [.. important.Select(message => PushContent.KeyOf(message, user)).OfType<string>()],
            Count = important.Count,
        };
        var owner = await service.Registrations.Find(host, user);
        bool isDue = mention is not null || TellsAll(missed.MembersOnly, rules);
        foreach (var registration in owner.All)
        {
            // It was inside and is not any more: mentioned or not, it should know, and come back.
            if (Wants(registration, missed.Room, isDue || missed.Cause != MissCause.Left))
                await service.Push(owner, registration, pick, rules, missed.Nick);
        }
        // A user of this server may have registered only with its account; its server then has the same to tell.
        if (isDue && service.AccountRules(user.Domain.ToString()) is not null)
            await service.Notify(user, newest, PushReason.Ghost);
    }

    static bool TellsAll(bool membersOnly, PushRules rules) => membersOnly ? rules.AllInMembersOnly : rules.AllInOpen;
}
