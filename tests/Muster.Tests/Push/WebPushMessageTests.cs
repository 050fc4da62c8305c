using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>What goes to a browser, without a network: encryption, contents, and what is taken for a browser or for an
/// address at all.</summary>
public sealed class WebPushMessageTests
{
    static byte[] Bytes(string text) => Base64Url.DecodeFromChars(text);

    [Fact, Spec("RFC 8291", "5")]
    public void The_example_of_the_specification_comes_out_to_the_byte()
    {
        var browser = new WebPushSubscription(new Uri("https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV"),
            Bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            Bytes("BTBZMqHH6r4Tts7J_aSIgg"));
        byte[] point = Bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        using var own = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            D = Bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
            Q = new ECPoint { X = point[1..33], Y = point[33..] },
        });
        byte[] body = WebPushCipher.Encrypt(
            "When I grow up, I want to be a watermelon"u8, browser, own, Bytes("DGv6ra1nlYgDCS1FRnbzlw"));
        Assert.Equal("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS" +
            "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
            Base64Url.EncodeToString(body));
    }

    [Fact, Spec("RFC 8291", "4")]
    public void What_fits_fills_four_kilobytes_and_no_more()
    {
        Assert.Equal(3993, WebPushCipher.TextBytesMax);
        var browser = new PushBrowser("https://push.example.net/x");
        var subscription = Subscription(browser.Form)!;
        using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        byte[] text = Encoding.ASCII.GetBytes($"\"{new string('a', WebPushCipher.TextBytesMax - 2)}\"");
        byte[] body = WebPushCipher.Encrypt(text, subscription, own, new byte[16]);
        Assert.Equal(4096, body.Length);
        var read = browser.Read(new("", new Dictionary<string, string>(), body));
        Assert.Equal(text.Length - 2, read.GetString()!.Length);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => WebPushCipher.Encrypt([.. text, 0], subscription, own, new byte[16]));
    }

    [Fact]
    public void Only_what_a_browser_can_have_said_is_taken_for_a_subscription()
    {
        var browser = new PushBrowser("https://push.example.net/x?y=z");
        Assert.NotNull(Subscription(browser.Form));
        // Some browsers' libraries pad.
        Assert.NotNull(Subscription(PushBrowser.FormOf(browser.Endpoint, browser.Key + "=", browser.Auth + "==")));
        byte[] off = Bytes(browser.Key);
        off[64] ^= 1;
        foreach (string form in (string[])
        [
            PushBrowser.FormOf(null, browser.Key, browser.Auth),
            PushBrowser.FormOf("", browser.Key, browser.Auth),
            PushBrowser.FormOf("/x", browser.Key, browser.Auth),
            PushBrowser.FormOf("http://push.example.net/x", browser.Key, browser.Auth),
            PushBrowser.FormOf("ftp://push.example.net/x", browser.Key, browser.Auth),
            PushBrowser.FormOf("file:///etc/passwd", browser.Key, browser.Auth),
            PushBrowser.FormOf("https://romeo:secret@push.example.net/x", browser.Key, browser.Auth),
            PushBrowser.FormOf("https://push.example.net/x#y", browser.Key, browser.Auth),
            PushBrowser.FormOf("https://push.example.net/" + new string('x', 2048), browser.Key, browser.Auth),
            PushBrowser.FormOf(browser.Endpoint, null, browser.Auth),
            PushBrowser.FormOf(browser.Endpoint, "!", browser.Auth),
            PushBrowser.FormOf(browser.Endpoint, browser.Key[..40], browser.Auth),
            PushBrowser.FormOf(browser.Endpoint, Base64Url.EncodeToString(off), browser.Auth),
            PushBrowser.FormOf(browser.Endpoint, browser.Key, null),
            PushBrowser.FormOf(browser.Endpoint, browser.Key, browser.Auth[..10]),
            PushBrowser.FormOf(browser.Endpoint, browser.Key, new string('A', 10_000)),
        ])
        {
            Assert.True(Subscription(form) is null, form);
        }
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("172.15.0.1", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("64:ff9b::8.8.8.8", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.255.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.0.0.8", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.19.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("64:ff9b::127.0.0.1", false)]
    [InlineData("64:ff9b::a9fe:a9fe", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fe80::1%2", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("ff02::1", false)]
    [InlineData("2001::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2002:7f00:1::1", false)]
    public void Addresses_that_are_not_of_the_internet_are_known(string address, bool isPublic) =>
        Assert.Equal(isPublic, PublicAddresses.Contains(IPAddress.Parse(address)));

    [Fact]
    public void What_is_told_gives_way_until_it_fits()
    {
        string[] bodies = [new('\u6f22', 1000), string.Concat(Enumerable.Repeat("\ud83d\udd14", 500)), "\"\n\\", ""];
        string longest = $"{new string('a', 1000)}@{string.Join('.', Enumerable.Repeat("abcdefghi", 100))}/"
            + new string('b', 1000);
        foreach (string body in bodies)
        {
            foreach (var sender in (Jid[])[Jid.Parse("juliet@localhost/x"), Jid.Parse(longest)])
            {
                var message = Message(new PushSummary { Body = body, Sender = sender, Nick = "juliet" })!;
                byte[] json = message.ToJson();
                Assert.InRange(json.Length, 1, WebPushCipher.TextBytesMax);
                using var read = JsonDocument.Parse(json);
                string told = read.RootElement.TryGetProperty("body", out var value) ? value.GetString()! : "";
                Assert.StartsWith(told, body, StringComparison.Ordinal);
                Assert.DoesNotContain('\ufffd', told);
                // JSON writes what lies beyond the basic plane in twelve characters.
                if (sender.ToString().Length < 100 && !body.Contains('\ud83d', StringComparison.Ordinal))
                    Assert.Equal(body, told);
            }
        }
    }

    [Fact, Spec("RFC 8030", "5.4")]
    public void A_conversation_has_one_name_that_says_nothing()
    {
        var browser = new PushBrowser("https://push.example.net/x");
        string first = Message(new PushSummary { Sender = Jid.Parse("a@muc.localhost/x") }, browser)!.Topic;
        string same = Message(new PushSummary { Sender = Jid.Parse("a@muc.localhost/y") }, browser)!.Topic;
        string other = Message(new PushSummary { Sender = Jid.Parse("b@muc.localhost/x") }, browser)!.Topic;
        string elsewhere = Message(new PushSummary { Sender = Jid.Parse("a@muc.localhost/x") })!.Topic;
        string untold = Message(new PushSummary(), browser)!.Topic;
        Assert.Equal(first, same);
        Assert.Equal(4, new HashSet<string> { first, other, elsewhere, untold }.Count);
        Assert.Matches("^[A-Za-z0-9_-]{32}$", first);
    }

    [Fact]
    public void A_browser_is_not_bothered_with_what_is_not_for_people()
    {
        Assert.True(Message(new PushSummary())!.IsWorthShowing);
        Assert.True(Message(new PushSummary { IsUrgent = true })!.IsWorthShowing);
        Assert.False(Message(new PushSummary { IsUrgent = false })!.IsWorthShowing);
        Assert.False(Message(new PushSummary { Count = 0 })!.IsWorthShowing);
        Assert.Equal("normal", Message(new PushSummary())!.Urgency);
        Assert.Equal("high", Message(new PushSummary { IsUrgent = true })!.Urgency);
    }

    [Theory]
    [InlineData(201, null)]
    [InlineData(200, null)]
    [InlineData(404, "gone")]
    [InlineData(410, "gone")]
    [InlineData(403, "not-authorized")]
    [InlineData(429, "resource-constraint")]
    [InlineData(503, "resource-constraint")]
    [InlineData(307, "not-acceptable")]
    [InlineData(400, "not-acceptable")]
    [InlineData(413, "not-acceptable")]
    public void What_a_push_service_answers_has_a_name(int status, string? condition) =>
        Assert.Equal(condition, WebPushMessage.ErrorOf(status)?.Condition);

    static WebPushSubscription? Subscription(string form)
    {
        var read = WebPushSubscription.Read(TestXml.Parse(form), out string? problem);
        Assert.Equal(read is null, problem is not null);
        return read;
    }

    static WebPushMessage? Message(PushSummary summary, PushBrowser? browser = null)
    {
        var form = TestXml.Parse((browser ?? new PushBrowser("https://push.example.net/x")).Form);
        return WebPushMessage.Read(new Iq(IqType.Set, Jid.Parse("localhost"), Jid.Parse("localhost"), "1",
            summary.ToPublish("n", form)));
    }
}
