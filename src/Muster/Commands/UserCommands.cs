using System.CommandLine;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster user</c>: accounts.</summary>
static class UserCommands
{
    static readonly Argument<string> Jid = new("JID") { Description = "The account's address: name@domain" };

    /// <summary>Makes the commands.</summary>
    public static Command Create(CommandLine line)
    {
        var password = new Option<string>("--password")
        {
            Description = "The password; others on this machine can see it while the command runs. Without this it is "
                + "asked for, or read from a pipe",
            HelpName = "P",
        };
        var generate = new Option<bool>("--generate") { Description = "Have a password chosen, and print it" };
        var host = new Option<string>("--host") { Description = "Only this domain", HelpName = "DOMAIN" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask whether it is meant" };
        return CommandLine.Group("user", "Accounts; works also while the server is stopped",
            line.Make("add", "Make an account", call => Add(call, password, generate), Jid, password, generate),
            line.Make("list", "List the accounts", call => List(call, host), host),
            line.Make("passwd", "Give an account another password", call => ChangePassword(call, password, generate),
                Jid, password, generate),
            line.Make("revoke", "Take the tokens back with which an account's clients log in without its password",
                Revoke, Jid),
            line.Make("remove", "Remove an account with all that belongs to it", call => Remove(call, yes), Jid, yes));
    }

    static async Task Add(Invocation call, Option<string> password, Option<bool> generate)
    {
        string? chosen = PasswordOf(call, password, generate);
        await using var admin = await call.ConnectAsync(makesData: true);
        string answer = await admin.SendAsync(HttpMethod.Post, "/api/users", new UserCreation(call.Get(Jid), chosen));
        if (call.Json)
        {
            call.Out.WriteLine(answer);
            return;
        }
        var made = AdminClient.Read<UserCreated>(answer);
        call.Say(made.Password is null ? $"added {made.Jid}" : $"added {made.Jid} with the password {made.Password}");
    }

    static async Task List(Invocation call, Option<string> host)
    {
        await using var admin = await call.ConnectAsync();
        var users = new List<UserView>();
        string? after = null;
        do
        {
            var page = await admin.GetAsync<UserPage>(
                AdminClient.WithQuery("/api/users", ("host", call.Get(host)), ("after", after)));
            users.AddRange(page.Users);
            after = page.Next;
        }
        while (after is not null);
        if (call.Json)
        {
            call.WriteJson(new UserPage([.. users], null));
            return;
        }
        call.Terminal.WriteTable(["account", "made", "last here", "sessions"], users.Select(user => new[]
        {
            user.Jid, Invocation.Text(user.CreatedAt), user.Sessions > 0 ? "now" : Invocation.Text(user.LastActiveAt),
            user.Disabled ? "locked" : Invocation.Text(user.Sessions),
        }));
    }

    static async Task ChangePassword(Invocation call, Option<string> password, Option<bool> generate)
    {
        string? chosen = PasswordOf(call, password, generate);
        string made = chosen ?? AdminApi.MakePassword();
        await using var admin = await call.ConnectAsync();
        string jid = call.Get(Jid);
        await admin.SendAsync(
            HttpMethod.Put, AdminClient.PathOf("/api/users/{0}/password", jid), new PasswordChange(made));
        if (call.Json) call.WriteJson(new UserCreated(jid, chosen is null ? made : null));
        else call.Say($"the password of {jid} is changed" + (chosen is null ? $" to {made}" : ""));
    }

    static async Task Revoke(Invocation call)
    {
        string jid = call.Get(Jid);
        await using var admin = await call.ConnectAsync();
        string answer = await admin.SendAsync(
            HttpMethod.Delete, AdminClient.PathOf("/api/users/{0}/tokens", jid));
        if (call.Json) call.Out.WriteLine(answer);
        else call.Say($"took {AdminClient.Read<TokensRevoked>(answer).Revoked} tokens of {jid} back");
    }

    static async Task Remove(Invocation call, Option<bool> yes)
    {
        string jid = call.Get(Jid);
        await using var admin = await call.ConnectAsync();
        if (!call.Get(yes) && !call.Terminal.Confirm($"Remove {jid} with its contacts and messages?"))
            throw new CommandException("nothing is removed");
        await admin.SendAsync(HttpMethod.Delete, AdminClient.PathOf("/api/users/{0}", jid));
        call.SayDone($"removed {jid}");
    }

    /// <summary>The password to set; null to have one chosen.</summary>
    static string? PasswordOf(Invocation call, Option<string> password, Option<bool> generate)
    {
        if (call.Get(generate))
        {
            if (call.Get(password) is not null)
                throw new CommandException("--password and --generate exclude each other", CommandLine.Misused);
            return null;
        }
        if (call.Get(password) is { } given) return given;
        string? typed = call.Terminal.ReadPassword("Password: ");
        if (string.IsNullOrEmpty(typed)) throw new CommandException("no password is given");
        if (call.Terminal.HasKeyboard && call.Terminal.ReadPassword("Once more: ") != typed)
            throw new CommandException("the two passwords differ");
        return typed;
    }
}
