using Muster.Core.Delivery;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>Whom to push, when, and how much text (muc-push.md §3 to §5).</summary>
[Feature("CN-04", "CN-05", "CN-06", "CN-07", "CN-09")]
public sealed class PushPolicyTests
{
    static readonly Jid Romeo = Jid.Parse("romeo@x");
    static readonly DateTimeOffset Start = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);

    static Message Read(string xml) => (Message)Stanza.Read(TestXml.Parse(xml), out _)!;

    static string Chat(string from, string id, string content = "<body>hello</body>", string type = "chat") =>
        $"<message xmlns='jabber:client' type='{type}' from='{from}' id='{id}'>{content}</message>";

    // ---- How a push service does ----

    [Theory]
    [InlineData("wait", "resource-constraint", PushAnswer.Wait)]
    [InlineData("wait", "remote-server-timeout", PushAnswer.Silent)]
    [InlineData("cancel", "remote-server-timeout", PushAnswer.Silent)]
    [InlineData("cancel", "remote-server-not-found", PushAnswer.Silent)]
    [InlineData("wait", "item-not-found", PushAnswer.Wait)] // it says that it will know again
    [InlineData("cancel", "item-not-found", PushAnswer.Unknown)]
    [InlineData("cancel", "gone", PushAnswer.Unknown)]
    [InlineData("auth", "not-authorized", PushAnswer.Unknown)]
    [InlineData("auth", "forbidden", PushAnswer.Refused)]
    [InlineData("cancel", "service-unavailable", PushAnswer.Refused)]
    [InlineData("modify", "bad-request", PushAnswer.Refused)]
    [InlineData("cancel", "undefined-condition", PushAnswer.Refused)]
    public void What_an_error_means(string type, string condition, PushAnswer answer) =>
        Assert.Equal(answer, PushPolicy.Classify(new StanzaError(Enum.Parse<StanzaErrorType>(type, true), condition)));

    [Theory]
    // errors so far, minutes since the last error (-1: none), hours since the last success, answer → errors, over
    [InlineData(15, 1, 1, PushAnswer.Taken, 0, false)]
    [InlineData(15, 1, 1, PushAnswer.Wait, 15, false)]
    [InlineData(0, -1, 0, PushAnswer.Refused, 1, false)]
    [InlineData(14, 0, 0, PushAnswer.Refused, 15, false)]
    [InlineData(15, 0, 0, PushAnswer.Refused, 16, true)]
    [InlineData(1, 0, 0, PushAnswer.Unknown, 2, false)]
    [InlineData(2, 0, 0, PushAnswer.Unknown, 3, true)]
    [InlineData(0, -1, 0, PushAnswer.Silent, 1, false)]
    [InlineData(1, 59, 0, PushAnswer.Silent, 1, false)]     // once an hour
    [InlineData(1, 60, 0, PushAnswer.Silent, 2, false)]
    [InlineData(15, 60, 23, PushAnswer.Silent, 16, false)]  // a server may be away for a day
    [InlineData(15, 60, 24, PushAnswer.Silent, 16, true)]
    [InlineData(40, 60, 23, PushAnswer.Silent, 41, false)]
    public void Answers_are_counted(int errors, int minutes, int hours, PushAnswer answer, int after, bool isOver)
    {
        var now = Start.AddDays(10);
        DateTimeOffset? lastError = minutes < 0 ? null : now.AddMinutes(-minutes);
        var (health, over) = PushPolicy.After(
            new PushHealth(errors, lastError, now.AddHours(-hours)), answer, now, errorsMax: 16);
        Assert.Equal((after, isOver), (health.Errors, over));
        Assert.Equal(answer == PushAnswer.Taken ? now : now.AddHours(-hours), health.LastSuccessAt);
        Assert.Equal(answer == PushAnswer.Taken ? null : after > errors ? now : lastError, health.LastErrorAt);
    }

    [Fact]
    public void Where_one_error_is_too_many_three_are_not_waited_for()
    {
        var (_, isOver) = PushPolicy.After(new PushHealth(0, null, Start), PushAnswer.Unknown, Start, errorsMax: 1);
        Assert.True(isOver);
    }

    // ---- What is told ----

    [Theory]
    // body and sender allowed, body and sender hidden → what the service is told
    [InlineData(false, false, false, false, "New Message!", null)]
    [InlineData(true, false, false, false, "hello", null)]
    [InlineData(true, false, true, false, "New Message!", null)]
    [InlineData(false, true, false, false, "New Message!", "juliet@x/balcony")]
    [InlineData(false, true, false, true, "New Message!", null)]
    [InlineData(true, true, false, false, "hello", "juliet@x/balcony")]
    [InlineData(true, true, true, true, "New Message!", null)]
    [InlineData(false, false, true, true, "New Message!", null)] // a user cannot let out more
    public void As_little_as_both_allow(
        bool withBody, bool withSender, bool hidesBody, bool hidesSender, string body, string? sender)
    {
        var pick = PushPick.Of(Read(Chat("juliet@x/balcony", "m1")), Romeo);
        var summary = PushPolicy.Summarise(pick, new() { WithBody = withBody, WithSender = withSender },
            new(hidesBody, hidesSender), wantsPriority: false);
        Assert.Equal((1, body, sender ?? "", null, null), (summary.Count, summary.Body, summary.Sender.ToString(),
            summary.Nick, summary.IsUrgent));
    }

    [Theory]
    [InlineData("<body>hello</body>", "New Message!", "New Message!", true)]
    [InlineData("<body>hello</body>", "", null, true)]
    [InlineData("<encrypted xmlns='urn:xmpp:omemo:2'/>", "New Message!", "New Message!", true)]
    [InlineData("<active xmlns='http://jabber.org/protocol/chatstates'/>", "New Message!", null, false)]
    [InlineData("<body/>", "New Message!", null, false)]
    public void A_text_of_the_service_stands_for_what_is_important(
        string content, string text, string? body, bool isUrgent)
    {
        var pick = PushPick.Of(Read(Chat("juliet@x/balcony", "m1", content)), Romeo);
        var summary = PushPolicy.Summarise(pick, new() { ImportantBody = text }, default, wantsPriority: true);
        Assert.Equal((body, isUrgent), (summary.Body, summary.IsUrgent));
    }

    [Fact]
    public void A_sender_in_a_room_has_a_nick_and_long_text_is_cut_between_characters()
    {
        string text = new string('x', PushPolicy.BodyCharsMax - 1) + "🎭🎭";
        var pick = PushPick.Of(Read(Chat("garden@muc.x/Juliet", "m1", $"<body>{text}</body>", "groupchat")), Romeo);
        var rules = new PushRules { WithBody = true, WithSender = true };
        var summary = PushPolicy.Summarise(pick with { Count = 7 }, rules, default, wantsPriority: false);
        Assert.Equal((7, "Juliet", "garden@muc.x/Juliet"), (summary.Count, summary.Nick, summary.Sender.ToString()));
        Assert.Equal(new string('x', PushPolicy.BodyCharsMax - 1), summary.Body);
    }

    // ---- What waits ----

    static List<PushPick> Choose(string[] waiting, string[]? pushed = null, string prefers = "", int? since = null) =>
        PushPolicy.Choose(
            waiting.Select((xml, i) => new SmEntry(
                SharedStanza.From(Stanza.Read(TestXml.Parse(xml), out _)!), Romeo, Start.AddSeconds(i))),
            Romeo, key => pushed?.Contains(key) == true,
            message => prefers.Length > 0 && message.Body?.Contains(prefers, StringComparison.Ordinal) == true,
            since is { } seconds ? Start.AddSeconds(seconds) : null);

    static string[] Lines(IEnumerable<PushPick> picks) =>
        [.. picks.Select(pick => $"{pick.Message.From} {pick.Message.Id} {pick.Count}{(pick.IsImportant ? "!" : "")}")];

    [Fact]
    public void Each_conversation_has_one_push_for_its_newest_message()
    {
        Assert.Equal(["juliet@x/1 m2 1!", "paris@x/1 m4 3!"], Lines(Choose([Chat("paris@x/1", "m1"),
            Chat("juliet@x/1", "m2"), Chat("paris@x/2", "m3"), Chat("paris@x/1", "m4")])));
    }

    [Fact]
    public void A_mention_stands_for_its_room_though_others_went_on()
    {
        string[] waiting = [Say("m1", "Romeo?"), Say("m2", "well"), Say("m3", "bye")];
        Assert.Equal(["garden@muc.x/Juliet m1 3!"], Lines(Choose(waiting, prefers: "Romeo")));
        Assert.Equal(["garden@muc.x/Juliet m3 3!"], Lines(Choose(waiting)));

        static string Say(string id, string body) =>
            Chat("garden@muc.x/Juliet", id, $"<body>{body}</body>", "groupchat");
    }

    [Fact]
    public void What_is_unimportant_wakes_once_and_only_where_nothing_else_does()
    {
        const string Typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
        Assert.Equal(["paris@x/1 m2 1"],
            Lines(Choose([Chat("juliet@x/1", "m1", Typing), Chat("paris@x/1", "m2", Typing)])));
        Assert.Equal(["juliet@x/1 m1 1!"], Lines(Choose([Chat("juliet@x/1", "m1"), Chat("paris@x/1", "m2", Typing)])));
    }

    [Fact]
    public void What_was_pushed_is_old_and_the_users_own_is_silent()
    {
        string[] waiting = [Chat("juliet@x/1", "m1"), Chat("juliet@x/1", "m2"), Chat("romeo@x/laptop", "m3"),
            "<presence xmlns='jabber:client' from='juliet@x/1'/>",
            "<message xmlns='jabber:client' type='error' from='juliet@x/1' id='m4'><body>x</body></message>"];
        Assert.Equal(["juliet@x/1 m2 2!"], Lines(Choose(waiting)));
        Assert.Equal(["juliet@x/1 m2 1!"], Lines(Choose(waiting, ["juliet@x/1\nm1"])));
        Assert.Empty(Choose(waiting, ["juliet@x/1\nm1", "juliet@x/1\nm2"]));
        // Names are forgotten with the process; what was queued before the last push is not pushed again.
        Assert.Equal(["juliet@x/1 m2 1!"], Lines(Choose(waiting, since: 0)));
        Assert.Empty(Choose(waiting, since: 1));
    }

    [Fact]
    public void A_flood_of_conversations_makes_a_few_pushes_of_the_newest()
    {
        string[] waiting = [.. Enumerable.Range(0, 100).Select(i => Chat($"u{i}@x/1", $"m{i}"))];
        Assert.Equal(["m95", "m96", "m97", "m98", "m99"], Choose(waiting).Select(pick => pick.Message.Id));
    }

    [Theory]
    [InlineData("<body>hello</body>", "New Message!", true)]
    [InlineData("<body>hello</body>", "", true)]
    [InlineData("<composing xmlns='http://jabber.org/protocol/chatstates'/>", "New Message!", false)]
    [InlineData("<composing xmlns='http://jabber.org/protocol/chatstates'/>", "", true)]
    public void Which_push_ends_the_long_wait(string content, string text, bool ends) => Assert.Equal(ends,
        PushPolicy.EndsLongWait(PushPick.Of(Read(Chat("juliet@x/1", "m1", content)), Romeo),
            new PushRules { ImportantBody = text }));
}
