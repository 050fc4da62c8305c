using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Archives;

/// <summary>What an archive answered.</summary>
/// <param name="Results">The results in the order in which they came.</param>
/// <param name="Answer">The iq that ended it.</param>
sealed record MamAnswer(IReadOnlyList<Element> Results, Element Answer)
{
    const string Ns = "urn:xmpp:mam:2";

    /// <summary>The condition of an error, or null.</summary>
    public string? Condition => Answer.ErrorCondition();

    /// <summary>Whether nothing follows.</summary>
    public bool Complete => Fin.Attribute("complete") == "true";

    public Element Fin => Answer.Child(Ns, "fin")!;
    public Element Set => Fin.Child(Namespaces.ResultSets, "set")!;

    /// <summary>The ids of the results.</summary>
    public string[] Ids => [.. Results.Select(result => result.Child(Ns, "result")!.Attribute("id")!)];

    /// <summary>The archived messages.</summary>
    public Element[] Messages => [.. Results.Select(result => result.Child(Ns, "result")!
        .Child("urn:xmpp:forward:0", "forwarded")!.Child(Namespaces.Client, "message")!)];

    /// <summary>The bodies of the archived messages.</summary>
    public string[] Bodies => [.. Messages.Select(message => message.Child("body")?.Text ?? "")];
}

/// <summary>Asks archives.</summary>
static class MamScenes
{
    static int _lastId;

    /// <summary>Sends a query and receives all that belongs to its answer; other stanzas are dropped.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="to">Whose archive; null: the own account's.</param>
    /// <param name="content">What is in the query.</param>
    public static async Task<MamAnswer> ArchiveAsync(this TestClient client, string? to = null, string content = "")
    {
        string id = $"mam{Interlocked.Increment(ref _lastId)}";
        await client.SendAsync($"<iq type='set' id='{id}'{(to is null ? "" : $" to='{to}'")}>" +
            $"<query xmlns='urn:xmpp:mam:2' queryid='{id}'>{content}</query></iq>");
        var results = new List<Element>();
        while (true)
        {
            var element = await client.ReceiveAsync();
            if (element.Name == "iq" && element.Attribute("id") == id) return new(results, element);
            if (element.Child("urn:xmpp:mam:2", "result")?.Attribute("queryid") != id) continue;
            Assert.Equal(to ?? client.Jid.Bare.ToString(), element.Attribute("from"));
            results.Add(element);
        }
    }

    /// <summary>The page part of a query.</summary>
    public static string Page(int? max = null, string? after = null, string? before = null) =>
        "<set xmlns='http://jabber.org/protocol/rsm'>" + (max is null ? "" : $"<max>{max}</max>") +
        (after is null ? "" : $"<after>{after}</after>") + (before is null ? "" : $"<before>{before}</before>") +
        "</set>";

    /// <summary>The form of a query.</summary>
    public static string Form(params (string Name, string Value)[] fields) =>
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value>" +
        "</field>" + string.Concat(fields.GroupBy(field => field.Name).Select(group => $"<field var='{group.Key}'>" +
            string.Concat(group.Select(field => $"<value>{field.Value}</value>")) + "</field>")) + "</x>";

    /// <summary>Enters a room; what is received up to the subject is dropped.</summary>
    public static async Task EnterAsync(this TestClient client, string room, string nick)
    {
        await client.SendAsync($"<presence to='{room}/{nick}'><x xmlns='http://jabber.org/protocol/muc'>" +
            "<history maxstanzas='0'/></x></presence>");
        await client.ExpectEventuallyAsync("<message type='groupchat' from='*' to='*' id='**'>...<subject/></message>");
    }

    /// <summary>Submits a room's configuration.</summary>
    public static async Task ConfigureAsync(
        this TestClient client, string room, params (string Name, string Value)[] fields)
    {
        await client.DrainAsync();
        await client.SendAsync($"<iq type='set' id='configure' to='{room}'>" +
            "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>" +
            "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
            string.Concat(fields.Select(f => $"<field var='{f.Name}'><value>{f.Value}</value></field>")) +
            "</x></query></iq>");
        await client.ExpectEventuallyAsync($"<iq type='result' id='configure' from='{room}' to='*'/>");
    }

    /// <summary>Says something in a room and waits until it is shown.</summary>
    public static async Task SayAsync(this TestClient client, string room, string body)
    {
        await client.SendAsync($"<message type='groupchat' to='{room}'><body>{body}</body></message>");
        await client.ExpectEventuallyAsync(
            $"<message type='groupchat' from='*' to='*' id='**'>...<body>{body}</body></message>");
    }
}
