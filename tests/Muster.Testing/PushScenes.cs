using Muster.Protocol.Xml;

namespace Muster.Testing;

/// <summary>Steps that tests of push notifications begin with.</summary>
public static class PushScenes
{
    /// <summary>The namespace of the protocol.</summary>
    public const string Push = "urn:xmpp:push:0";

    /// <summary>Registers a push service (XEP-0357 §5); the answer.</summary>
    /// <param name="client">Who registers.</param>
    /// <param name="app">The service; null leaves it out.</param>
    /// <param name="node">The node; null leaves it out.</param>
    /// <param name="to">Where; null for the own account.</param>
    /// <param name="content">What stands in <c>enable</c>.</param>
    public static Task<Element> EnablePushAsync(
        this TestClient client, string? app, string? node = "n", string? to = null, string content = "") =>
        client.PushIqAsync("enable", app, node, to, content);

    /// <summary>The opposite (XEP-0357 §6).</summary>
    public static Task<Element> DisablePushAsync(
        this TestClient client, string? app, string? node = null, string? to = null) =>
        client.PushIqAsync("disable", app, node, to, "");

    /// <summary>The form whose secret goes back to the service with each push.</summary>
    public static string Secret(string secret) =>
        $"<x xmlns='{Namespaces.DataForms}' type='submit'><field var='FORM_TYPE'>" +
        "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
        $"<field var='secret'><value>{secret}</value></field></x>";

    static async Task<Element> PushIqAsync(
        this TestClient client, string name, string? app, string? node, string? to, string content)
    {
        await client.SendAsync($"<iq type='set' id='push-{name}'" + (to is null ? "" : $" to='{to}'") +
            $"><{name} xmlns='{Push}'" + (app is null ? "" : $" jid='{app}'") +
            (node is null ? "" : $" node='{node}'") +
            $">{content}</{name}></iq>");
        return await client.UntilIdAsync($"push-{name}");
    }
}
