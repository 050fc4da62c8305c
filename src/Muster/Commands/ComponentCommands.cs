using System.CommandLine;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster component</c>: external components.</summary>
static class ComponentCommands
{
    /// <summary>Makes the commands.</summary>
    public static Command Create(CommandLine line) =>
        CommandLine.Group("component", "External components of the running server",
            line.Make("list", "List the components, connected or not", List));

    static async Task List(Invocation call)
    {
        await using var admin = await call.ConnectRunningAsync();
        string answer = await admin.GetTextAsync("/api/components");
        if (call.Json)
        {
            call.Out.WriteLine(answer);
            return;
        }
        call.Terminal.WriteTable(["component", "connection", "from", "since", "received", "sent", "came back"],
            AdminClient.Read<ComponentList>(answer).Components.Select(component => new[]
            {
                component.Domain, component.Connection ?? "not connected", component.Address ?? "",
                component.ConnectedAt is { } since ? Invocation.Text(since) : "", Invocation.Text(component.Received),
                Invocation.Text(component.Sent), Invocation.Text(component.Bounced),
            }));
    }
}
