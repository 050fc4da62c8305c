using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Payloads;

public class MucElementsTests
{
    static Element User(params Element?[] children) => new(Namespaces.MucUser, "x", children);
    static Element UserChild(string name, params Element?[] children) => new(Namespaces.MucUser, name, children);

    [Fact]
    public void Affiliations_and_roles_are_ordered_and_their_numbers_are_frozen()
    {
        Assert.Equal(
            [Affiliation.Outcast, Affiliation.None, Affiliation.Member, Affiliation.Admin, Affiliation.Owner],
            Enum.GetValues<Affiliation>().Order());
        Assert.Equal([-1, 0, 1, 2, 3], Enum.GetValues<Affiliation>().Select(a => (int)a).Order());
        Assert.Equal(
            [Role.None, Role.Visitor, Role.Participant, Role.Moderator],
            Enum.GetValues<Role>().Order());
        Assert.Equal(Affiliation.None, default);
    }

    [Fact]
    public void Names_are_read_as_they_are_written()
    {
        foreach (var affiliation in Enum.GetValues<Affiliation>())
            Assert.True(MucNames.TryAffiliation(affiliation.ToName(), out var read) && read == affiliation);
        foreach (var role in Enum.GetValues<Role>())
            Assert.True(MucNames.TryRole(role.ToName(), out var read) && read == role);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Owner")]
    [InlineData("moderator ")]
    [InlineData("0")]
    public void Other_names_are_refused(string? name)
    {
        Assert.False(MucNames.TryAffiliation(name, out _));
        Assert.False(MucNames.TryRole(name, out _));
    }

    [Fact]
    public void An_item_is_read_as_it_was_written()
    {
        var item = new MucItem(Affiliation.Admin, Role.None, Jid.Parse("fool@verona.example/pda"), "Yorick",
            new MucActor("Hamlet", Jid.Parse("prince@denmark.example")), "Alas");
        var read = MucItem.Read(item.ToElement(), out var problem);
        Assert.Null(problem);
        Assert.Equal(item, read);
        Assert.Equal(Namespaces.MucAdmin, item.ToElement(Namespaces.MucAdmin).Child("actor")!.Namespace);
        Assert.Equal(item, MucItem.Read(item.ToElement(Namespaces.MucAdmin), out _));
    }

    [Fact]
    public void What_an_item_leaves_out_is_null()
    {
        var read = MucItem.Read(UserChild("item"), out var problem);
        Assert.Null(problem);
        Assert.Equal(new MucItem(), read);
        Assert.True(new MucItem().ToElement().Attributes.IsEmpty);
    }

    [Theory]
    [InlineData("affiliation", "king", "bad-request")]
    [InlineData("affiliation", "", "bad-request")]
    [InlineData("role", "Moderator", "bad-request")]
    [InlineData("jid", "", "jid-malformed")]
    [InlineData("jid", "a@", "jid-malformed")]
    public void A_wrong_item_names_its_error(string attribute, string value, string condition)
    {
        Assert.Null(MucItem.Read(UserChild("item").With(attribute, value), out var problem));
        Assert.Equal(condition, problem!.Condition);
    }

    [Fact]
    public void A_presence_carries_item_and_status_codes_in_order()
    {
        var item = new MucItem(Affiliation.Owner, Role.Moderator);
        var x = new MucUser(item, MucStatus.Self, MucStatus.Created).ToElement();
        Assert.True(x.Is(Namespaces.MucUser, "x"));
        Assert.Equal(["item", "status", "status"], x.Elements.Select(e => e.Name));
        Assert.Equal(["110", "201"], x.Children(Namespaces.MucUser, "status").Select(e => e.Attribute("code")));
        var read = MucUser.Read(x, out _)!;
        Assert.Equal(item, read.Item);
        Assert.Equal([110, 201], read.Statuses);
    }

    [Fact]
    public void Status_codes_that_are_none_are_left_out()
    {
        var x = User(MucUser.Status(110), UserChild("status"), UserChild("status").With("code", "99"),
            UserChild("status").With("code", "1000"), UserChild("status").With("code", "-110"),
            UserChild("status").With("code", "x"), new Element("urn:other", "status").With("code", "301"));
        Assert.Equal([110], MucUser.Read(x, out _)!.Statuses);
    }

    [Fact]
    public void Invitations_keep_their_order_reason_and_thread()
    {
        var x = new MucUser
        {
            Invites =
            [
                new MucInvite(Jid.Parse("hecate@shakespeare.example"), Reason: "Come", Continues: true, Thread: "t1"),
                new MucInvite(Jid.Parse("banquo@shakespeare.example")),
            ],
            Password = "cauldron",
        };
        var read = MucUser.Read(x.ToElement(), out var problem)!;
        Assert.Null(problem);
        Assert.Equal(x.Invites, read.Invites);
        Assert.Equal("cauldron", read.Password);
    }

    [Fact]
    public void Declines_and_destroys_are_read_as_written()
    {
        var x = new MucUser
        {
            Decline = new MucDecline(From: Jid.Parse("hecate@shakespeare.example"), Reason: "Too busy"),
            Destroy = new MucDestroy(Jid.Parse("heath@chat.example"), "Macbeth comes", "pw"),
        };
        var read = MucUser.Read(x.ToElement(), out _)!;
        Assert.Equal(x.Decline, read.Decline);
        Assert.Equal(x.Destroy, read.Destroy);
        var owner = MucDestroy.Read(x.Destroy.ToElement(Namespaces.MucOwner), out _);
        Assert.Equal(x.Destroy, owner);
    }

    [Theory]
    [InlineData("invite", "to")]
    [InlineData("invite", "from")]
    [InlineData("decline", "to")]
    [InlineData("destroy", "jid")]
    [InlineData("item", "jid")]
    public void One_bad_address_refuses_the_whole(string child, string attribute)
    {
        var x = User(UserChild("invite").With("to", "a@b.example"), UserChild(child).With(attribute, "@nowhere/"));
        Assert.Null(MucUser.Read(x, out var problem));
        Assert.Equal(StanzaError.JidMalformed, problem);
    }

    [Fact]
    public void Too_many_invitations_are_a_policy_violation()
    {
        Element Of(int count) =>
            User([.. Enumerable.Range(0, count).Select(i => UserChild("invite").With("to", $"u{i}@b.example"))]);
        Assert.Equal(MucUser.InvitesMax, MucUser.Read(Of(MucUser.InvitesMax), out _)!.Invites.Count);
        Assert.Null(MucUser.Read(Of(MucUser.InvitesMax + 1), out var problem));
        Assert.Equal("policy-violation", problem!.Condition);
    }

    [Fact]
    public void A_join_carries_password_and_history_limits()
    {
        var join = new MucJoin("cauldron",
            new MucHistoryRequest(0, 20, 180, new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        Assert.Equal(join, MucJoin.Read(join.ToElement()));
        Assert.Equal(new MucJoin(), MucJoin.Read(new Element(Namespaces.Muc, "x")));
        var empty = new Element(Namespaces.Muc, "x", new Element(Namespaces.Muc, "password"));
        Assert.Equal("", MucJoin.Read(empty).Password);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("")]
    [InlineData(" 3")]
    [InlineData("1e3")]
    [InlineData("99999999999")]
    public void History_limits_that_cannot_be_read_set_no_limit(string value)
    {
        var history = new Element(Namespaces.Muc, "history").With("maxchars", value).With("maxstanzas", value)
            .With("seconds", value).With("since", value);
        Assert.Equal(new MucHistoryRequest(), MucHistoryRequest.Read(history));
    }

    [Theory]
    [InlineData("http://jabber.org/protocol/muc", true)]
    [InlineData("http://jabber.org/protocol/muc#user", true)]
    [InlineData("http://jabber.org/protocol/muc#anything", true)]
    [InlineData("http://jabber.org/protocol/mucus", false)]
    [InlineData("http://jabber.org/protocol/mu", false)]
    [InlineData("jabber:client", false)]
    public void Elements_that_only_a_room_may_send_are_known_by_namespace(string ns, bool expected) =>
        Assert.Equal(expected, MucElements.IsMuc(new Element(ns, "x")));

    [Fact]
    public void A_direct_invitation_is_read_as_written_and_needs_a_room()
    {
        var invitation = new DirectInvitation(Jid.Parse("heath@chat.example"), "Come", "pw", true, "t1");
        Assert.Equal(invitation, DirectInvitation.Read(invitation.ToElement()));
        Assert.Null(DirectInvitation.Read(new Element(Namespaces.DirectInvitation, "x")));
    }
}
