using System.CommandLine;
using System.Runtime.InteropServices;
using Muster.Protocol.Addresses;
using Muster.Server;
using Muster.Server.Accounts;
using Muster.Server.Config;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster serve</c>: the server itself.</summary>
static class ServeCommand
{
    static readonly string[] DemoUsers = ["romeo@localhost", "juliet@localhost"];
    const string DemoRoom = "garden@conference.localhost";

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandLine line)
    {
        var demo = new Option<bool>("--demo")
        {
            Description = "Have the users romeo and juliet, whose passwords are their names, and the room garden; log "
                + "every stanza",
        };
        return line.Make("serve", "Run the server until it is told to stop (SIGTERM)",
            call => Serve(call, call.Get(demo)), demo);
    }

    static async Task Serve(Invocation call, bool demo)
    {
        var config = call.LoadConfig();
        if (demo && !config.General.Hosts.Contains("localhost"))
            throw new CommandException("--demo needs the domain localhost, which the configuration does not serve");
        using var logs = new ConsoleLog(call.Terminal.Error, config.General.LogLevel, logsStanzas: demo);
        PosixSignalRegistration? hangUp = null;
        try
        {
            var overrides = new ServerOverrides { Logs = logs };
            await ServerHost.RunAsync(config, call.DataFolder, call.Out, overrides, async host =>
            {
                host.ReadConfig = () => call.ConfigToRead is { } file ? ConfigCheck.Run(file) : (config, []);
                host.ConfigApplied = applied => logs.Level = applied.General.LogLevel;
                hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
                {
                    signal.Cancel = true;
                    _ = host.ReloadOrLogAsync();
                });
                string? password = call.ConfigToRead is null ? await MakeAdmin(host) : null;
                if (demo) await MakeDemo(host);
                Greet(call, host, password, demo);
            }, call.Cancel);
        }
        finally
        {
            hangUp?.Dispose();
        }
    }

    /// <summary>On the very first start, an administrator. Returns the password, to be told once.</summary>
    static async Task<string?> MakeAdmin(ServerHost host)
    {
        var admin = Jid.Parse(FirstStart.Admin);
        if (await host.Services.Database.Accounts.Count(admin.Domain.ToString()) > 0) return null;
        string password = AdminApi.MakePassword();
        return await host.Services.AccountBook.Add(admin, password) == AccountOutcome.Done ? password : null;
    }

    static async Task MakeDemo(ServerHost host)
    {
        foreach (string user in DemoUsers)
        {
            var jid = Jid.Parse(user);
            await host.Services.AccountBook.Add(jid, jid.Local.ToString());
        }
        await host.Admin.EnsureRoomAsync(DemoRoom, DemoUsers[0]);
    }

    static void Greet(Invocation call, ServerHost host, string? password, bool demo)
    {
        if (password is not null)
        {
            call.Out.WriteLine($"administrator: {FirstStart.Admin}, password {password} (told only this once; "
                + "'muster user passwd' changes it)");
        }
        if (demo)
        {
            call.Out.WriteLine($"demo: log in as {DemoUsers[0]} with the password romeo, or {DemoUsers[1]} with "
                + $"juliet; the room is {DemoRoom}");
        }
        if ((password is not null || demo) && host.ChatAddress is { } chat) call.Out.WriteLine($"web chat: {chat}");
    }
}
