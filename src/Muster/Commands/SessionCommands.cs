using System.CommandLine;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster session</c>: who is connected.</summary>
static class SessionCommands
{
    /// <summary>Makes the commands.</summary>
    public static Command Create(CommandLine line)
    {
        var account = new Argument<string?>("ACCOUNT")
        {
            Description = "Only this account's",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var jid = new Argument<string>("JID") { Description = "A session's address, or an account's for all of its" };
        var reason = new Option<string>("--reason") { Description = "What the client is told", HelpName = "TEXT" };
        return CommandLine.Group("session", "Sessions of the running server",
            line.Make("list", "List the sessions", call => List(call, account), account),
            line.Make("kick", "End a session, or all of an account", call => Kick(call, jid, reason), jid, reason));
    }

    static async Task List(Invocation call, Argument<string?> account)
    {
        await using var admin = await call.ConnectRunningAsync();
        var sessions = new List<SessionView>();
        string? after = null;
        do
        {
            var page = await admin.GetAsync<SessionPage>(AdminClient.WithQuery(
                "/api/sessions", ("account", call.Parsed.GetValue(account)), ("after", after)));
            sessions.AddRange(page.Sessions);
            after = page.Next;
        }
        while (after is not null);
        if (call.Json)
        {
            call.WriteJson(new SessionPage([.. sessions], null));
            return;
        }
        call.Terminal.WriteTable(["session", "connection", "state", "priority", "status"],
            sessions.Select(session => new[]
            {
                session.Jid, session.Connection, session.Available ? session.Show ?? "available" : "unavailable",
                session.Available ? Invocation.Text(session.Priority) : "", session.Status ?? "",
            }));
    }

    static async Task Kick(Invocation call, Argument<string> jid, Option<string> reason)
    {
        await using var admin = await call.ConnectRunningAsync();
        string answer = await admin.SendAsync(HttpMethod.Delete, AdminClient.WithQuery(
            AdminClient.PathOf("/api/sessions/{0}", call.Get(jid)), ("reason", call.Get(reason))));
        if (call.Json) call.Out.WriteLine(answer);
        else call.Say($"ended {AdminClient.Read<SessionsEnded>(answer).Ended} of {call.Get(jid)}");
    }
}
