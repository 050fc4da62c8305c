using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Making a room: who may, the lock until it is configured, and the ways out of it (muc.md §3.1).</summary>
[Feature("MU-01")]
public sealed class CreateTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony";

    [Fact, Spec("XEP-0045", "createroom-general")]
    public void The_first_who_enters_becomes_owner_of_a_locked_room()
    {
        var room = RoomDriver.Nonexistent();
        room.Join(Romeo, "Romeo");
        Assert.Equal(["presence Romeo owner/moderator jid=romeo@x/orchard 110 201", "groupchat subject=''"],
            room.Received(Romeo));
        Assert.True(room.Room.IsLocked);
    }

    [Fact, Feature("MU-06")]
    public void Who_may_not_create_is_refused_and_no_room_is_left()
    {
        var room = RoomDriver.Nonexistent();
        room.Facts("romeo@x", new SenderFacts());
        room.Join(Romeo, "Romeo");
        var refusal = Assert.Single(room.Stanzas(Romeo)).Error!;
        Assert.Equal(("not-allowed", StanzaErrorType.Cancel), (refusal.Condition, refusal.Type));
        Assert.Equal("Room creation is denied by service policy: no_matching_acl_rule", refusal.Text);
        Assert.True(room.Room.IsClosed);
        Assert.IsType<RoomEffect.Closed>(room.Effects[^1]);
    }

    [Fact, Feature("MU-11")]
    public void A_room_id_longer_than_the_service_allows_is_refused()
    {
        var room = RoomDriver.Nonexistent(policy: new() { RoomIdBytesMax = 5 });
        room.Join(Romeo, "Romeo");
        Assert.EndsWith("room_id_too_long", Assert.Single(room.Stanzas(Romeo)).Error!.Text!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stored_room_is_entered_without_the_right_to_create()
    {
        var room = RoomDriver.Stored();
        room.Facts("romeo@x", new SenderFacts());
        room.Join(Romeo, "Romeo");
        Assert.Equal("presence Romeo none/participant jid=romeo@x/orchard 110", room.Received(Romeo)[0]);
    }

    [Fact]
    public void Presence_without_the_mark_of_muc_creates_nothing()
    {
        var room = RoomDriver.Nonexistent();
        room.Presence(Romeo, "Romeo");
        Assert.Equal(["presence Romeo unavailable none/none 'You are not in the room.' 110 307 333"],
            room.Received(Romeo));
        Assert.True(room.Room.IsClosed);
    }

    [Fact]
    public void Nothing_else_reaches_a_room_that_does_not_exist()
    {
        var room = RoomDriver.Nonexistent();
        room.Say(Romeo, "anybody?");
        Assert.Equal(["error message item-not-found"], room.Received(Romeo));
        room = RoomDriver.Nonexistent();
        room.Get(Romeo, new Element(Namespaces.DiscoInfo, "query"));
        Assert.Equal(["error iq item-not-found"], room.Received(Romeo));
        room = RoomDriver.Nonexistent();
        room.Presence(Romeo, "Romeo", PresenceType.Subscribe);
        Assert.Equal(["error presence Romeo item-not-found"], room.Received(Romeo));
        room = RoomDriver.Nonexistent();
        room.Leave(Romeo, "Romeo");
        Assert.True(room.IsQuiet);
        room = RoomDriver.Nonexistent();
        room.Bounce(Romeo, "Romeo", "gone");
        Assert.True(room.IsQuiet);
    }

    [Fact, Spec("XEP-0045", "createroom-instant")]
    public void An_empty_form_opens_the_room_with_the_defaults()
    {
        var room = RoomDriver.Nonexistent();
        room.Join(Romeo, "Romeo");
        room.Forget();
        room.Configure(Romeo);
        Assert.Equal(["result"], room.Received(Romeo));
        Assert.False(room.Room.IsLocked);
        room.Join(Julia, "Jule");
        Assert.Contains("presence Romeo owner/moderator", room.Received(Julia));
    }

    [Fact, Spec("XEP-0045", "createroom-reserved"), Feature("MU-36")]
    public void A_filled_form_configures_and_opens_and_only_then_is_the_room_stored()
    {
        var room = RoomDriver.Nonexistent();
        room.Join(Romeo, "Romeo");
        Assert.DoesNotContain(room.Effects, effect => effect is RoomEffect.Persist);
        room.Configure(Romeo, ("muc#roomconfig_persistentroom", "1"), ("muc#roomconfig_roomname", "Garden"));
        var created =
            Assert.IsType<RoomChange.Created>(Assert.Single(room.Effects.OfType<RoomEffect.Persist>()).Change);
        Assert.Equal("Garden", created.Snapshot.Options.Title);
        var owner = Assert.Single(created.Snapshot.Affiliations);
        Assert.Equal(new AffiliationEntry(Jid.Parse("romeo@x"), Affiliation.Owner), owner with { Version = 0 });
    }

    [Fact, Spec("XEP-0045", "enter-locked")]
    public void Until_then_it_does_not_exist_for_others()
    {
        var room = RoomDriver.Nonexistent();
        room.Join(Romeo, "Romeo");
        room.Forget();
        room.Join(Julia, "Jule");
        room.Say(Julia, "hello?");
        room.Get(Julia, new Element(Namespaces.DiscoInfo, "query"));
        room.Get(Julia, new Element(Namespaces.MucOwner, "query"));
        Assert.Equal(["error presence Jule item-not-found", "error message item-not-found", "error iq item-not-found",
            "error iq item-not-found"],
            room.Received(Julia));
    }

    [Fact, Spec("XEP-0045", "createroom-general")]
    public void Until_then_the_owner_can_only_look_configure_and_leave()
    {
        var room = RoomDriver.Nonexistent();
        room.Join(Romeo, "Romeo");
        room.Forget();
        room.Say(Romeo, "echo");
        room.Get(Romeo, new Element(Namespaces.DiscoInfo, "query"));
        room.Get(Romeo, new Element(Namespaces.MucOwner, "query"));
        room.Set(Romeo, new Element(Namespaces.MucOwner, "query", new Element("urn:example", "nonsense")));
        Assert.Equal(["error message item-not-found", "result", "result", "error iq item-not-found"],
            room.Received(Romeo));
        room.Join(Romeo, "Romeo"); // the client lost what it knew
        Assert.Equal("presence Romeo owner/moderator jid=romeo@x/orchard 110 201", room.Received(Romeo)[0]);
        room.Leave(Romeo, "Romeo");
        Assert.True(room.Room.IsClosed);
    }

    [Fact]
    public void Cancelling_the_first_form_destroys_the_room()
    {
        var room = RoomDriver.Nonexistent();
        room.Join(Romeo, "Romeo");
        room.Forget();
        room.Set(Romeo, new Element(Namespaces.MucOwner, "query", RoomDriver.Form("cancel")));
        Assert.Equal(["result",
            "presence Romeo unavailable none/none jid=romeo@x/orchard destroyed alternate= '' 110"],
                room.Received(Romeo));
        Assert.True(room.Room.IsClosed);
    }

    [Fact]
    public void The_lock_opens_by_itself_after_a_while()
    {
        var room = RoomDriver.Nonexistent(new() { Persistent = true });
        room.Join(Romeo, "Romeo");
        var wake = Assert.Single(room.Effects.OfType<RoomEffect.WakeAt>());
        room.Happen(new RoomEvent.Tick());
        Assert.True(room.Room.IsLocked);
        room.Now = wake.At;
        room.Happen(new RoomEvent.Tick());
        Assert.False(room.Room.IsLocked);
        Assert.IsType<RoomChange.Created>(Assert.Single(room.Effects.OfType<RoomEffect.Persist>()).Change);
    }

    [Fact]
    public void An_owner_who_leaves_without_configuring_leaves_nothing_even_where_rooms_are_persistent()
    {
        var room = RoomDriver.Nonexistent(new() { Persistent = true });
        room.Join(Romeo, "Romeo");
        room.Leave(Romeo, "Romeo");
        Assert.True(room.Room.IsClosed);
        Assert.DoesNotContain(room.Effects, effect => effect is RoomEffect.Persist);
    }

    [Fact, Feature("MU-48")]
    public void Affiliations_of_the_configuration_are_there_before_the_creator()
    {
        var room = RoomDriver.Nonexistent(null, null,
            new AffiliationEntry(Jid.Parse("prince@x"), Affiliation.Owner), new AffiliationEntry(Jid.Parse("romeo@x"),
                Affiliation.Member));
        room.Join(Romeo, "Romeo");
        Assert.Equal(["owner prince@x", "owner romeo@x"],
            room.Room.Snapshot().Affiliations.Select(entry => $"{entry.Affiliation.ToName()} {entry.User}").Order());
    }

    [Fact, Feature("MU-36")]
    public void A_temporary_room_ends_with_its_last_session_and_a_persistent_one_stays()
    {
        var room = RoomDriver.Nonexistent();
        room.Join(Romeo, "Romeo");
        room.Configure(Romeo);
        room.Leave(Romeo, "Romeo");
        Assert.True(room.Room.IsClosed);

        room = RoomDriver.Stored();
        room.Inside((Romeo, "Romeo"));
        room.Leave(Romeo, "Romeo");
        Assert.False(room.Room.IsClosed);
    }
}
