using Muster.Protocol.Xml;

namespace Muster.Testing;

/// <summary>Steps of instant messaging that many tests begin with.</summary>
public static class ImScenes
{
    /// <summary>Logs a user in and sends initial presence; what comes of that itself is received, nothing
    /// else.</summary>
    public static async Task<TestClient> OnlineAsync(
        this TestServer server, string user, string resource = "test", int priority = 0)
    {
        var client = await server.LoginAsync(user, resource);
        await client.BecomeAvailableAsync(priority);
        return client;
    }

    /// <summary>Sends available presence and receives it back as one of the user's own resources.</summary>
    public static async Task BecomeAvailableAsync(this TestClient client, int priority = 0)
    {
        string content = priority == 0 ? "" : $"<priority>{priority}</priority>";
        await client.SendAsync($"<presence>{content}</presence>");
        await client.ExpectEventuallyAsync(
            $"<presence from='{client.Jid}' to='{client.Jid.Bare}'>{content}</presence>");
    }

    /// <summary>Asks for the roster, which makes the resource interested in its changes; its items.</summary>
    public static async Task<Element[]> RosterAsync(this TestClient client)
    {
        var answer = await client.AskAsync("<iq type='get'><query xmlns='jabber:iq:roster'/></iq>");
        return [.. answer.Child(Namespaces.Roster, "query")!.Elements];
    }

    /// <summary>Receives everything that has been sent to the client so far.</summary>
    public static async Task<List<Element>> DrainAsync(this TestClient client)
    {
        const string Id = "drain";
        await client.SendAsync($"<iq type='get' id='{Id}' to='{client.Host}'><ping xmlns='{Namespaces.Ping}'/></iq>");
        var received = new List<Element>();
        while (true)
        {
            var element = await client.ReceiveAsync();
            if (element.Attribute("id") == Id) return received;
            received.Add(element);
        }
    }

    /// <summary>Makes each of two users see the other, by the requests and approvals of RFC 6121 §3; both receive all
    /// that comes of it.</summary>
    public static async Task BefriendAsync(this TestClient one, TestClient other)
    {
        foreach (var (asker, asked) in new[] { (one, other), (other, one) })
        {
            await asker.SendAsync($"<presence to='{asked.Jid.Bare}' type='subscribe'/>");
            await asker.DrainAsync();
            await asked.DrainAsync();
            await asked.SendAsync($"<presence to='{asker.Jid.Bare}' type='subscribed'/>");
            await asked.DrainAsync();
            await asker.DrainAsync();
        }
    }

    /// <summary>The condition of an answer of type error; null for another answer.</summary>
    public static string? ErrorCondition(this Element answer) =>
        answer.Attribute("type") == "error" ? answer.Child("error")?.FirstElement?.Name : null;

    /// <summary>Fails when the element does not fit the pattern.</summary>
    public static void AssertFits(this XmlPattern pattern, Element element)
    {
        if (pattern.Mismatch(element) is { } problem)
            throw new InvalidOperationException($"{problem}\n expected {pattern}\n received {element}");
    }
}
