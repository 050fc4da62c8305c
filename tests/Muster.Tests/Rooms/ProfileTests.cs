using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Hats (XEP-0317) and the room's picture (XEP-0486).</summary>
public sealed class ProfileTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";
    const string Host = "urn:hats:host";

    static RoomDriver Inside()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"), (Nurse, "Nurse"));
        return room;
    }

    static Element Command(string name, params (string, string)[] fields) =>
        new Element("http://jabber.org/protocol/commands", "command",
            fields.Length == 0 ? null : RoomDriver.Form("submit", [("FORM_TYPE", "urn:xmpp:hats:commands"), .. fields]))
            .With("node", $"urn:xmpp:hats:commands:{name}");

    static void Create(RoomDriver room, string title = "Host") =>
        room.Set(Romeo, Command("create", ("hats#title", title), ("hats#uri", Host), ("hats#hue", "327.25")));

    static string? Hat(Protocol.Stanzas.Stanza presence) =>
        presence.Child("urn:xmpp:hats:0", "hats")?.FirstElement is { } hat
            ? $"{hat.Attribute("title")} {hat.Attribute("uri")} {hat.Attribute("hue")}"
            : null;

    [Fact, Spec("XEP-0317", "create"), Spec("XEP-0317", "add"), Spec("XEP-0317", "presence")]
    public void An_owner_makes_a_hat_and_gives_it_and_all_see_who_wears_it()
    {
        var room = Inside();
        Create(room);
        Assert.Equal(["groupchat 104"], room.Received(Nurse));
        room.Set(Romeo, Command("assign", ("hats#jid", "julia@x"), ("hats#uri", Host)));
        Assert.Equal("Host urn:hats:host 327.25", Hat(Assert.Single(room.Stanzas(Nurse))));
        Assert.Equal("Host urn:hats:host 327.25", Hat(room.Stanzas(Julia)[^1]));
        var stored = Assert.IsType<RoomChange.Configured>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        Assert.Equal(Jid.Parse("julia@x"), Assert.Single(Assert.Single(stored.Profile.Hats).Wearers));
        room.Restart();
        room.Join(Julia, "Jule");
        Assert.Equal("Host urn:hats:host 327.25", Hat(room.Stanzas(Julia)[0]));
        room.Presence(Julia, "Jule", Protocol.Stanzas.PresenceType.Available,
            new Element("urn:xmpp:hats:0", "hats", new Element("urn:xmpp:hats:0", "hat").With("title", "King")));
        Assert.Equal("Host urn:hats:host 327.25", Hat(room.Stanzas(Julia)[^1])); // no crown of one's own making
    }

    [Fact, Spec("XEP-0317", "destroy"), Spec("XEP-0317", "remove")]
    public void A_hat_is_changed_taken_and_destroyed()
    {
        var room = Inside();
        Create(room);
        room.Set(Romeo, Command("assign", ("hats#jid", "julia@x"), ("hats#uri", Host)));
        room.Forget();
        Create(room, "Presenter");
        Assert.Equal("Presenter urn:hats:host 327.25", Hat(room.Stanzas(Nurse)[0]));
        room.Set(Romeo, Command("unassign", ("hats#jid", "julia@x"), ("hats#uri", Host)));
        Assert.Null(Hat(Assert.Single(room.Stanzas(Nurse))));
        room.Set(Romeo, Command("unassign", ("hats#jid", "julia@x"), ("hats#uri", Host))); // again: no news
        Assert.Empty(room.Stanzas(Nurse));
        room.Set(Romeo, Command("assign", ("hats#jid", "julia@x"), ("hats#uri", Host)));
        room.Forget();
        room.Set(Romeo, Command("destroy", ("hats#uri", Host)));
        Assert.Null(Hat(room.Stanzas(Nurse)[0]));
    }

    [Fact]
    public void Commands_ask_list_and_refuse()
    {
        var room = Inside();
        Create(room);
        room.Forget();
        room.Set(Romeo, Command("assign"));
        var asked = Assert.Single(room.Stanzas(Romeo)).Elements.Single();
        Assert.Equal("executing", asked.Attribute("status"));
        Assert.Equal([Host], DataForm.Read(asked.FirstElement!,
            out _)!.Field("hats#uri")!.Options.Select(o => o.Value));
        room.Set(Julia, Command("list"));
        var list = DataForm.Read(Assert.Single(room.Stanzas(Julia)).Elements.Single().FirstElement!, out _)!;
        Assert.Equal("Host", Assert.Single(list.Items)[0].First);
        room.Set(Julia, Command("create", ("hats#title", "x"), ("hats#uri", "y")));
        room.Set(Julia, Command("list-assigned"));
        Assert.Equal(["error iq forbidden", "error iq forbidden"], room.Received(Julia));
        room.Set("tybalt@x/1", Command("list"));
        Assert.Equal(["error iq forbidden"], room.Received("tybalt@x/1"));
        room.Set(Romeo, Command("nonsense"));
        room.Set(Romeo, Command("create", ("hats#title", "x")));
        room.Set(Romeo, Command("assign", ("hats#jid", "julia@x"), ("hats#uri", "unknown")));
        room.Set(Romeo, Command("assign", ("hats#jid", "@"), ("hats#uri", Host)));
        Assert.Equal(["error iq item-not-found", "error iq bad-request", "error iq item-not-found",
            "error iq bad-request"],
            room.Received(Romeo));
        room.Get(Romeo, new Element(Namespaces.DiscoItems, "query").With("node",
            "http://jabber.org/protocol/commands"));
        Assert.Equal(6, Assert.Single(room.Stanzas(Romeo)).Elements.Single().Elements.Count());
    }

    [Fact]
    public void A_profile_survives_as_text_beside_the_options()
    {
        var profile = new RoomProfile
        {
            VCard = Card("aGVsbG8="),
            Hats = [new(Host, "Host", "1.5") { Wearers = [Jid.Parse("julia@x")] }, new("urn:x", "Other")],
        };
        var text = profile.ToText().Concat(new RoomOptions { Title = "Garden" }.ToText()).ToList();
        var read = RoomProfile.FromText(text);
        Assert.True(read.VCard!.DeepEquals(profile.VCard));
        Assert.Equal("urn:hats:host Host 1.5 julia@x, urn:x Other  ",
            string.Join(", ",
                read.Hats.Select(hat => $"{hat.Uri} {hat.Title} {hat.Hue} {string.Join(' ', hat.Wearers)}")));
        Assert.Equal("Garden", RoomOptions.FromText(text).Title);
        Assert.Equal(RoomProfile.Empty.ToText(), RoomProfile.FromText([]).ToText());
        Assert.Null(RoomProfile.FromText([KeyValuePair.Create("vcard",
            (System.Collections.Immutable.ImmutableArray<string>)["<"])]).VCard);
    }

    // ---- The picture ----

    static Element Card(string base64) => new(Namespaces.VcardTemp, "vCard", new Element(Namespaces.VcardTemp, "PHOTO",
        new Element(Namespaces.VcardTemp, "TYPE", "image/png"), new Element(Namespaces.VcardTemp, "BINVAL", base64)));

    static string? AvatarHash(RoomDriver room)
    {
        room.Get(Nurse, new Element(Namespaces.DiscoInfo, "query"));
        var form = room.Stanzas(Nurse)[^1].Elements.Single().Child(Namespaces.DataForms, "x")!;
        return DataForm.Read(form, out _)!.Value("muc#roominfo_avatarhash");
    }

    [Fact, Spec("XEP-0486", "owner-publish"), Spec("XEP-0486", "disco-avatar-hash")]
    public void An_owner_gives_the_room_a_picture()
    {
        var room = Inside();
        Assert.Null(AvatarHash(room));
        room.Set(Romeo, Card("aGVs\nbG8="));
        Assert.Equal(["groupchat 104"], room.Received(Nurse));
        Assert.Equal("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", AvatarHash(room)); // of "hello"
        room.Restart();
        Assert.Equal("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", AvatarHash(room));
        room.Get(Nurse, new Element(Namespaces.VcardTemp, "vCard"));
        Assert.True(Assert.Single(room.Stanzas(Nurse)).Elements.Single().DeepEquals(Card("aGVs\nbG8=")));
        room.Set(Romeo, new Element(Namespaces.VcardTemp, "vCard"));
        Assert.Null(AvatarHash(room));
    }

    [Fact, Spec("XEP-0486", "multiple")]
    public void A_picture_in_two_formats_has_two_hashes()
    {
        var room = Inside();
        var card = Card("aGVsbG8=");
        room.Set(Romeo, card.Add(Card("d29ybGQ=").FirstElement!));
        room.Get(Nurse, new Element(Namespaces.DiscoInfo, "query"));
        var form = room.Stanzas(Nurse)[^1].Elements.Single().Child(Namespaces.DataForms, "x")!;
        Assert.Equal(["aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "7c211433f02071597741e6ff5a8ea34789abbf43"],
            DataForm.Read(form, out _)!.Values("muc#roominfo_avatarhash"));
    }

    [Fact, Spec("XEP-0486", "owner-publish")]
    public void Pictures_that_are_refused()
    {
        var room = Inside();
        room.Set(Julia, Card("aGVsbG8="));
        Assert.Equal(["error iq forbidden"], room.Received(Julia));
        room.Set(Romeo, Card("not base64!"));
        room.Set(Romeo, Card(new string('A', 200_000)));
        Assert.Equal(["error iq bad-request", "error iq policy-violation"], room.Received(Romeo));
        room.Get(Julia, new Element(Namespaces.VcardTemp, "vCard"));
        Assert.True(Assert.Single(room.Stanzas(Julia)).Elements.Single().IsEmpty);
    }
}
