using System.CommandLine;
using Muster.Server.Http;
using Spectre.Console;

namespace Muster.Commands;

/// <summary><c>muster backup</c>: a copy of the database.</summary>
static class BackupCommand
{
    static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandLine line)
    {
        var file = new Argument<string>("FILE") { Description = "Where the copy goes; nothing is overwritten" };
        return line.Make("backup", "Copy the database to a file while everything goes on; works also while the server "
            + "is stopped", async call =>
            {
                string path = Path.GetFullPath(call.Get(file));
                await using var admin = await call.ConnectAsync();
                string answer = await WithProgress(call, admin, path,
                    admin.SendAsync(HttpMethod.Post, "/api/backup", new BackupRequest(path)));
                if (call.Json) call.Out.WriteLine(answer);
                else call.Say($"backed up to {path}, {Invocation.Size(AdminClient.Read<BackupView>(answer).Bytes)}");
            }, file);
    }

    /// <summary>Shows a person how far the copy is, going by its size.</summary>
    static async Task<string> WithProgress(Invocation call, AdminClient admin, string path, Task<string> backup)
    {
        if (!call.Terminal.ShowsProgress) return await backup;
        long all = (await admin.GetAsync<StatusView>("/api/status")).StorageBytes;
        var partial = new FileInfo(path + ".partial");
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(call.Terminal.Error) });
        await console.Progress().AutoClear(true).StartAsync(async context =>
        {
            var bar = context.AddTask("copying", maxValue: Math.Max(1, all));
            while (await Task.WhenAny(backup, Task.Delay(Pace)) != backup)
            {
                partial.Refresh();
                if (partial.Exists) bar.Value = Math.Min(partial.Length, all);
            }
        });
        return await backup;
    }
}
