using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Sessions;

/// <summary>The fate of what a dead session did not bring to its client (stream-management.md §7).</summary>
public sealed class UnackedPolicyTests
{
    static readonly Jid Session = Jid.Parse("romeo@x/1"), Account = Session.Bare, Stranger = Jid.Parse("juliet@y/2");
    static readonly UnackedFacts Last = new(Session, HasOthers: false, OthersHaveIt: false, UsesArchive: false);

    static Message From(Jid sender, params Element[] content) => new(MessageType.Chat, sender, Session, "m", content);

    static UnackedFate Fate(Message message) => UnackedPolicy.Choose(message, Last, new UnackedRules());

    [Fact]
    public void A_copy_of_what_is_elsewhere_is_let_go_and_what_only_claims_to_be_one_is_not()
    {
        var original = From(Stranger, new Element(Namespaces.Client, "body", "hello"));
        var copy = CarbonCopy.OfReceived(original, Account);
        Assert.Equal(UnackedFate.Drop, Fate(copy));
        Assert.Equal(UnackedFate.Store, Fate(copy.Readdressed(Stranger, Session)));
    }

    [Fact]
    public void The_answer_to_a_question_to_an_archive_is_let_go() =>
        Assert.Equal(UnackedFate.Drop, Fate(From(Account, new Element("urn:xmpp:mam:2", "result"))));
}
