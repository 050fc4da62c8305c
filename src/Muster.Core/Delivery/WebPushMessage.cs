using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Delivery;

/// <summary>A push (XEP-0357 §7) on its way to a browser: what the page's service worker is told, and how its push
/// service is to treat it (RFC 8030).</summary>
public sealed class WebPushMessage
{
    /// <summary>The namespace of publishing (XEP-0060).</summary>
    public const string PubSub = "http://jabber.org/protocol/pubsub";
    static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    WebPushMessage(WebPushSubscription to) => To = to;

    /// <summary>The browser.</summary>
    public WebPushSubscription To { get; }
    /// <summary>Who pushes: a domain of accounts or a room service.</summary>
    public required string Host { get; init; }
    /// <summary>Messages that it stands for; 0: it is not known of what it tells.</summary>
    public required int Count { get; init; }
    /// <summary>Text, or null.</summary>
    public string? Body { get; private set; }
    /// <summary>Who wrote, or null.</summary>
    public string? Sender { get; private set; }
    /// <summary>The sender's nick, where the message is of a room.</summary>
    public string? Nick { get; private set; }
    /// <summary>Whether it should be shown at once; null where that is not known.</summary>
    public bool? IsUrgent { get; private init; }

    /// <summary>Whether a person would want to know. A browser shows each push, so one that only wakes a device, or is
    /// of no importance, is not sent.</summary>
    public bool IsWorthShowing => Count > 0 && IsUrgent != false;

    /// <summary>RFC 8030 §5.3. What waits for the eyes of a person is of normal urgency, unless the registration asks
    /// for more.</summary>
    public string Urgency => IsUrgent == true ? "high" : "normal";

    /// <summary>RFC 8030 §5.4: a newer push takes the place of an older one of the same conversation, as long as the
    /// browser is away. The name says nothing to the push service: it is derived with the browser's secret.</summary>
    public string Topic
    {
        get
        {
            string conversation = Jid.TryParse(Sender, out var from) ? from.Bare.ToString() : Host;
            return Base64Url.EncodeToString(
                HMACSHA256.HashData(To.Auth, Encoding.UTF8.GetBytes(conversation)).AsSpan(0, 24));
        }
    }

    /// <summary>Reads what is published; null when it is no push, or is not for a browser.</summary>
    public static WebPushMessage? Read(Iq iq)
    {
        if (iq.Payload is not { } pubsub || !pubsub.Is(PubSub, "pubsub")) return null;
        var notification = pubsub.Child("publish")?.Child("item")?.Child(PushContent.Namespace, "notification");
        var options = pubsub.Child("publish-options")?.Child(Namespaces.DataForms, "x");
        if (notification?.Child(Namespaces.DataForms, "x") is not { } x || DataForm.Read(x, out _) is not { } summary
            || WebPushSubscription.Read(options, out _) is not { } to) return null;
        _ = int.TryParse(
            summary.Value("message-count"), NumberStyles.None, CultureInfo.InvariantCulture, out int count);
        return new WebPushMessage(to)
        {
            Host = iq.From.Domain.ToString(),
            Count = count,
            Body = summary.Value("last-message-body"),
            Sender = summary.Value("last-message-sender"),
            Nick = notification.Child(PushSummary.RoomInfo, "groupchat")?.Child("nickname")?.Text,
            IsUrgent = notification.Child(PushFilters.Priority, "priority")?.Text switch
            {
                "high" => true,
                "low" => false,
                _ => null,
            },
        };
    }

    /// <summary>What the service worker gets: JSON in UTF-8, of which text and sender give way where it would be too
    /// long.</summary>
    public byte[] ToJson()
    {
        while (true)
        {
            byte[] json = Write();
            if (json.Length <= WebPushCipher.TextBytesMax) return json;
            if (Body is { Length: > 1 } body)
                Body = body[..(char.IsHighSurrogate(body[(body.Length / 2) - 1]) ? (body.Length / 2) - 1
                    : body.Length / 2)];
            else Sender = Nick = null;
        }
    }

    /// <summary>What the answer of a push service means to who pushed; null: it took the push (RFC 8030 §5, §7.2,
    /// §7.3, §8.4; RFC 8292 §4.2).</summary>
    public static StanzaError? ErrorOf(int status) => status switch
    {
        200 or 201 or 202 or 204 => null,
        404 or 410 => StanzaError.Gone,
        401 or 403 => StanzaError.NotAuthorized,
        408 or 429 or >= 500 => StanzaError.ResourceConstraint,
        // Redirects are not followed: they would lead past the check of the address.
        _ => StanzaError.NotAcceptable,
    };

    byte[] Write()
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes, JsonOptions))
        {
            json.WriteStartObject();
            json.WriteString("host", Host);
            json.WriteNumber("count", Count);
            if (Body is not null) json.WriteString("body", Body);
            if (Sender is not null) json.WriteString("sender", Sender);
            if (Nick is not null) json.WriteString("nick", Nick);
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }
}
