using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Ghosts of other servers in a room where nobody speaks (muc.md §9).</summary>
[Spec("XEP-0045", "impl-service-ghosts")]
public sealed class ProbeTests
{
    const string Romeo = "romeo@x/orchard", Remote = "julia@far.example/balcony";

    static RoomDriver Inside()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x");
        room.Facts("julia@far.example", new SenderFacts());
        room.Inside((Romeo, "Romeo"), (Remote, "Jule"));
        return room;
    }

    [Fact]
    public void A_silent_session_of_another_server_is_asked_twice_and_then_taken_for_gone()
    {
        var room = Inside();
        room.Pass(14 * 60);
        Assert.True(room.IsQuiet);
        room.Pass(60);
        Assert.True(Assert.IsType<Iq>(Assert.Single(room.Stanzas(Remote))).Payload!.Is(Namespaces.Ping, "ping"));
        room.Pass(5 * 60);
        Assert.Single(room.Stanzas(Remote));
        Assert.True(room.IsQuiet);
        room.Pass(5 * 60);
        Assert.StartsWith("presence Jule unavailable none/none jid=julia@far.example/balcony 'Kicked: recipient unava",
            Assert.Single(room.Received(Romeo)), StringComparison.Ordinal);
        room.Pass(3600);
        Assert.Equal(Jid.Parse(Romeo), Assert.Single(room.Room.Sessions)); // the local one is never asked
    }

    [Fact]
    public void An_answer_proves_it_alive_unless_only_a_server_could_give_it()
    {
        var room = Inside();
        room.Pass(15 * 60);
        var ask = (Iq)Assert.Single(room.Stanzas(Remote));
        room.Send(new Iq(IqType.Error, Jid.Parse(Remote), ask.From, ask.Id,
            StanzaError.FeatureNotImplemented.ToElement()));
        room.Pass(14 * 60);
        Assert.True(room.IsQuiet);
        room.Pass(60);
        ask = (Iq)Assert.Single(room.Stanzas(Remote));
        room.Send(new Iq(IqType.Error, Jid.Parse(Remote), ask.From, ask.Id,
            StanzaError.RemoteServerNotFound.ToElement()));
        Assert.DoesNotContain(Jid.Parse(Remote), room.Room.Sessions);
    }

    [Fact]
    public void Where_people_speak_nobody_is_asked()
    {
        var room = Inside();
        for (int i = 0; i < 10; i++)
        {
            room.Pass(10 * 60);
            room.Say(Romeo, "still here");
        }
        Assert.DoesNotContain(room.Stanzas(Remote), stanza => stanza is Iq);
    }

    [Fact]
    public void After_a_restart_sessions_of_other_servers_are_asked_whatever_is_said()
    {
        var room = Inside();
        room.Resume();
        room.Pass(59);
        room.Say(Romeo, "are we back?");
        Assert.DoesNotContain(room.Stanzas(Remote), stanza => stanza is Iq);
        room.Pass(1);
        var ask = Assert.Single(room.Stanzas(Remote).OfType<Iq>());
        Assert.DoesNotContain(room.Stanzas(Romeo), stanza => stanza is Iq);
        room.Send(ask.Result().Readdressed(Jid.Parse(Remote), ask.From));
        room.Forget();
        for (int i = 0; i < 6; i++)
        {
            room.Pass(10 * 60);
            room.Say(Romeo, "still here");
        }
        Assert.DoesNotContain(room.Stanzas(Remote), stanza => stanza is Iq);
    }

    [Theory]
    [InlineData("remote-server-timeout", 2)] // it may be restarting, as this one just was
    [InlineData("service-unavailable", 1)]
    [InlineData("item-not-found", 1)]
    public void Who_has_gone_during_a_restart_goes_when_that_is_certain(string condition, int answers)
    {
        var room = Inside();
        room.Resume();
        room.Pass(60);
        for (int i = 0; i < answers; i++)
        {
            Assert.Contains(Jid.Parse(Remote), room.Room.Sessions);
            var ask = Assert.Single(room.Stanzas(Remote).OfType<Iq>());
            room.Forget();
            room.Send(new Iq(IqType.Error, Jid.Parse(Remote), ask.From, ask.Id,
                new StanzaError(StanzaErrorType.Cancel, condition).ToElement()));
            if (i + 1 < answers) room.Pass(5 * 60);
        }
        Assert.DoesNotContain(Jid.Parse(Remote), room.Room.Sessions);
        Assert.Equal(condition, Assert.Single(room.Effects.OfType<RoomEffect.Undeliverable>()).Condition);
    }

    [Fact]
    public void A_room_with_nobody_to_look_for_asks_for_no_time()
    {
        var room = RoomDriver.Stored();
        room.Join(Romeo, "Romeo");
        Assert.DoesNotContain(room.Effects, effect => effect is RoomEffect.WakeAt);
    }
}
