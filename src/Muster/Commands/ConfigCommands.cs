using System.CommandLine;
using Muster.Server.Config;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster config</c>: the configuration file.</summary>
static class ConfigCommands
{
    /// <summary>Makes the commands.</summary>
    public static Command Create(CommandLine line) => CommandLine.Group("config", "The configuration file",
        line.Make("check", "Tell everything that is wrong with the configuration file", Check),
        line.Make("describe", "Print every option with its default, as a configuration file", Describe),
        line.Make("reload", "Have the running server apply the changed file", Reload));

    static Task Check(Invocation call)
    {
        string file = call.ConfigToRead
            ?? throw new CommandException($"there is no {Invocation.ConfigFileHere} here (--config FILE names one)");
        var (config, problems) = ConfigCheck.Run(file);
        if (call.Json)
        {
            call.WriteJson(new ConfigView(config is not null, [.. problems.Select(problem => new ConfigProblemView(
                problem.IsError, problem.File, problem.Line, problem.Column, problem.Key, problem.Text))]));
        }
        else
        {
            foreach (var problem in problems) call.Terminal.Error.WriteLine(problem);
            if (config is not null) call.Say($"{file} is fine");
        }
        return config is null ? throw new CommandException("") : Task.CompletedTask;
    }

    static Task Describe(Invocation call)
    {
        call.Out.Write(ConfigDescription.ToToml());
        return Task.CompletedTask;
    }

    static async Task Reload(Invocation call)
    {
        await using var admin = await call.ConnectRunningAsync();
        string answer;
        try
        {
            answer = await admin.SendAsync(HttpMethod.Post, "/api/config/reload");
        }
        catch (CommandException e)
        {
            // One line for each mistake, in the form that config check has.
            call.Terminal.Error.WriteLine(e.Message);
            throw new CommandException("");
        }
        if (call.Json)
        {
            call.Out.WriteLine(answer);
            return;
        }
        var reload = AdminClient.Read<ReloadView>(answer);
        foreach (string warning in reload.Warnings) call.Terminal.Error.WriteLine(Terminal.Clean(warning));
        foreach (string change in reload.Applied) call.Say($"applied: {change}");
        foreach (string change in reload.NeedRestart) call.Say($"waits for a restart: {change}");
        if (reload.Applied.Length + reload.NeedRestart.Length == 0) call.Say("nothing has changed");
    }
}
