using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;

namespace Muster.Testing;

/// <summary>A push as an app server gets it.</summary>
/// <param name="From">Who pushes.</param>
/// <param name="Id">The request's id.</param>
/// <param name="Node">The node.</param>
/// <param name="Summary">The fields of the summary.</param>
/// <param name="Options">The fields of the publish options.</param>
/// <param name="Notification">The notification itself.</param>
public sealed record ReceivedPush(
    string From, string Id, string Node, IReadOnlyDictionary<string, string> Summary,
    IReadOnlyDictionary<string, string> Options, Element Notification)
{
    /// <summary>The value of a field of the summary, or null.</summary>
    public string? this[string field] => Summary.GetValueOrDefault(field);
}

/// <summary>A small app server (XEP-0357 §3: an XMPP push service): a pubsub service that takes publishes. It stands on
/// whatever brings stanzas: a client's session, or a component's stream.</summary>
/// <param name="connection">Where stanzas come from and go to.</param>
public sealed class PushApp(TestClient connection)
{
    const string PubSub = "http://jabber.org/protocol/pubsub";

    /// <summary>The connection.</summary>
    public TestClient Connection => connection;

    /// <summary>The address to register.</summary>
    public required string Address { get; init; }

    /// <summary>Logs an app server in as an account's session.</summary>
    public static async Task<PushApp> StartAsync(TestServer server, string name = "app")
    {
        var client = await server.LoginAsync(name, "push");
        return new PushApp(client) { Address = $"{name}@localhost/push" };
    }

    /// <summary>Takes the next push and, unless told otherwise, says so to who sent it.</summary>
    /// <param name="error">The error to answer with, as XML inside <c>error</c> with its type in front
    /// ("cancel:item-not-found"); "" for no answer; null for success.</param>
    public async Task<ReceivedPush> TakeAsync(string? error = null)
    {
        var push = Read(await connection.ReceiveAsync());
        await AnswerAsync(push, error);
        return push;
    }

    /// <summary>Answers a push, perhaps from another address.</summary>
    public Task AnswerAsync(ReceivedPush push, string? error = null)
    {
        if (error == "") return Task.CompletedTask;
        if (error is null) return connection.SendAsync($"<iq type='result' to='{push.From}' id='{push.Id}'/>");
        string[] parts = error.Split(':');
        return connection.SendAsync($"<iq type='error' to='{push.From}' id='{push.Id}'><error type='{parts[0]}'>" +
            $"<{parts[1]} xmlns='{Namespaces.StanzaErrors}'/></error></iq>");
    }

    /// <summary>Fails when a push has come or comes by what the server has been told.</summary>
    public Task NothingAsync() => connection.ExpectNothingAsync();

    /// <summary>Reads a publish as XEP-0357 §7 has it.</summary>
    public static ReceivedPush Read(Element iq)
    {
        if (iq.Name != "iq" || iq.Attribute("type") != "set" || iq.Child(PubSub, "pubsub") is not { } pubsub)
            throw new InvalidOperationException($"no push: {iq}");
        var publish = pubsub.Child("publish")!;
        var notification = publish.Child("item")!.Child("urn:xmpp:push:0", "notification")!;
        return new ReceivedPush(iq.Attribute("from")!, iq.Attribute("id")!, publish.Attribute("node") ?? "",
            Fields(notification.Child(Namespaces.DataForms, "x")),
            Fields(pubsub.Child("publish-options")?.Child(Namespaces.DataForms, "x")), notification);
    }

    static Dictionary<string, string> Fields(Element? form) => form is null ? []
        : DataForm.Read(form, out _)!.Fields.Where(field => field.First is not null)
            .ToDictionary(field => field.Var, field => field.First!, StringComparer.Ordinal);
}
