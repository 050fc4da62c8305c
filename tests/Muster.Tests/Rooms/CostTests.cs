using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Rooms;

/// <summary>What a decision costs: the path of a group message must not grow with the number of occupants.</summary>
public sealed class CostTests
{
    static Room Crowd(int count, RoomPolicy? policy = null)
    {
        var room = Room.Restore(new RoomSnapshot
        {
            Address = Jid.Parse("garden@muc.x"),
            Options = new RoomOptions { Persistent = true, MaxUsers = 10_000 },
            Secret = [.. new byte[Room.SecretBytes]],
            CreatedAt = default,
        }, policy ?? new RoomPolicy { UsersMax = 10_000, AnnouncedOccupantsMax = 10_000 });
        var effects = new List<RoomEffect>();
        for (int i = 0; i < count; i++)
        {
            var enter =
                new Presence(PresenceType.Available, Jid.Parse($"user{i}@x/1"), Jid.Parse($"garden@muc.x/nick{i}"), "e",
                new MucJoin().ToElement());
            room.Handle(new RoomInput(enter, default, i + 1, new SenderFacts { IsLocal = true }), effects);
            effects.Clear();
        }
        Assert.Equal(count, room.OccupantCount);
        return room;
    }

    static long BytesPerMessage(int occupants)
    {
        var room = Crowd(occupants);
        var effects = new List<RoomEffect>();
        var message = new Message(MessageType.Groupchat, Jid.Parse("user0@x/1"), Jid.Parse("garden@muc.x"), "m",
            new Element(Namespaces.Client, "body", "hello"));
        long id = 1_000_000;
        for (int i = 0; i < 100; i++) Say();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Say();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / 1000;

        void Say()
        {
            effects.Clear();
            room.Handle(new RoomInput(message, default, id++, new SenderFacts { IsLocal = true }), effects);
        }
    }

    [Fact]
    public void A_message_costs_the_same_in_a_small_room_and_in_a_large_one()
    {
        long small = BytesPerMessage(2), large = BytesPerMessage(1000);
        Assert.True(large <= small + 64, $"{small} bytes with 2 inside, {large} with 1,000");
        Assert.True(large < 1500, $"{large} bytes");
    }

    [Fact]
    public void Who_enters_a_large_room_costs_two_broadcasts_and_shares_the_presence_of_all_others()
    {
        var room = Crowd(1000);
        var effects = new List<RoomEffect>();
        var first = Enter(room, "late1", effects);
        var second = Enter(room, "late2", effects);
        Assert.Equal(1000, first.Count);
        Assert.Equal(1001, second.Count);
        Assert.True(first.Take(1000).Zip(second).All(pair => ReferenceEquals(pair.First, pair.Second)));
        Assert.Single(effects.OfType<RoomEffect.Broadcast>()); // nobody is a moderator: all see the same
    }

    /// <summary>The presences of others that somebody gets on entering.</summary>
    static List<Stanza> Enter(Room room, string user, List<RoomEffect> effects)
    {
        effects.Clear();
        var enter =
            new Presence(PresenceType.Available, Jid.Parse($"{user}@x/1"), Jid.Parse($"garden@muc.x/{user}"), "e",
            new MucJoin().ToElement());
        room.Handle(new RoomInput(enter, default, 2_000_000, new SenderFacts { IsLocal = true }), effects);
        return [.. effects.OfType<RoomEffect.Send>().Select(send => send.Stanza).OfType<Presence>().SkipLast(1)];
    }
}
