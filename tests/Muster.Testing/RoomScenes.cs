using Muster.Protocol.Xml;

namespace Muster.Testing;

/// <summary>Steps of group chat that many tests begin with. A room is named by its bare JID.</summary>
public static class RoomScenes
{
    /// <summary>What ends an entrance (XEP-0045 §7.2.15).</summary>
    public const string AnySubject =
        "<message type='groupchat' from='*' to='*' id='**'><subject>...</subject>...</message>";

    /// <summary>Asks to enter (XEP-0045 §7.2.1).</summary>
    public static Task KnockAsync(this TestClient client, string room, string nick, string? password = null) =>
        client.SendAsync($"<presence to='{room}/{nick}'><x xmlns='{Namespaces.Muc}'>" +
            (password is null ? "" : $"<password>{password}</password>") + "</x></presence>");

    /// <summary>Enters; what comes up to and with the subject. Fails when the room refuses.</summary>
    public static async Task<List<Element>> EnterAsync(
        this TestClient client, string room, string nick, string? password = null)
    {
        await client.KnockAsync(room, nick, password);
        var received = new List<Element>();
        while (true)
        {
            var next = await client.ReceiveAsync();
            if (next.Attribute("type") == "error") throw new InvalidOperationException($"{client.Name}: {next}");
            received.Add(next);
            if (next.Name == "message" && next.Child("subject") is not null && next.Child("body") is null)
                return received;
        }
    }

    /// <summary>Enters a room that is not there and opens it with its defaults (XEP-0045 §10.1.2).</summary>
    public static async Task<List<Element>> CreateRoomAsync(
        this TestClient client, string room, string nick, string? password = null)
    {
        var received = await client.EnterAsync(room, nick, password);
        var answer = await client.ConfigureAsync(room);
        return answer.ErrorCondition() is { } problem
            ? throw new InvalidOperationException($"{client.Name} cannot open {room}: {problem}")
            : received;
    }

    /// <summary>Submits the owner's form with some of its fields; the answer, what came before it is
    /// dropped.</summary>
    public static Task<Element> ConfigureAsync(
        this TestClient client, string room, params (string Field, string Value)[] fields)
    {
        string form = fields.Length == 0 ? "" : Field("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig")
            + string.Concat(fields.Select(field => Field(field.Field, field.Value)));
        return client.RequestAsync("set", room, $"<query xmlns='{Namespaces.MucOwner}'>" +
            $"<x xmlns='jabber:x:data' type='submit'>{form}</x></query>");
    }

    /// <summary>Registers a nick with a room (XEP-0045 §7.10); the answer, what came before it is dropped.</summary>
    public static Task<Element> RegisterNickAsync(this TestClient client, string room, string nick) =>
        client.RequestAsync("set", room, $"<query xmlns='{Namespaces.Register}'><x xmlns='jabber:x:data' type='submit'>"
            + Field("FORM_TYPE", "http://jabber.org/protocol/muc#register") + Field("muc#register_roomnick", nick)
            + "</x></query>");

    /// <summary>Sends a request; its answer, what came before it is dropped.</summary>
    public static async Task<Element> RequestAsync(this TestClient client, string type, string to, string payload)
    {
        await client.SendAsync($"<iq type='{type}' id='request' to='{to}'>{payload}</iq>");
        return await client.UntilIdAsync("request");
    }

    /// <summary>Says something to a room.</summary>
    public static Task SayAsync(this TestClient client, string room, string id, string body) =>
        client.SendAsync($"<message to='{room}' type='groupchat' id='{id}'><body>{body}</body></message>");

    /// <summary>Receives until a stanza with this id comes, be it an error or not.</summary>
    public static async Task<Element> UntilIdAsync(this TestClient client, string id)
    {
        while (true)
        {
            var next = await client.ReceiveAsync();
            if (next.Attribute("id") == id) return next;
        }
    }

    /// <summary>Leaves, and waits until the room has said so.</summary>
    public static async Task LeaveAsync(this TestClient client, string room, string nick)
    {
        await client.SendAsync($"<presence type='unavailable' to='{room}/{nick}'/>");
        await client.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{room}/{nick}' to='*' id='**'>...</presence>");
    }

    /// <summary>The item of an occupant's presence (XEP-0045 §7.2.2).</summary>
    public static Element ItemOf(this Element presence) =>
        presence.Child(Namespaces.MucUser, "x")!.Child(Namespaces.MucUser, "item")!;

    /// <summary>The status codes of a stanza of a room, in their order.</summary>
    public static string[] CodesOf(this Element stanza) =>
        [.. stanza.Child(Namespaces.MucUser, "x")?.Children(Namespaces.MucUser, "status")
            .Select(status => status.Attribute("code")!) ?? []];

    static string Field(string name, string value) => $"<field var='{name}'><value>{value}</value></field>";
}
