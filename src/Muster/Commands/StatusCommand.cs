using System.CommandLine;
using System.Globalization;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster status</c>: whether the server runs, and how.</summary>
static class StatusCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandLine line) =>
        line.Make("status", "Show whether the server runs, and how", Show);

    static async Task Show(Invocation call)
    {
        await using var admin = await call.ConnectRunningAsync();
        string answer = await admin.GetTextAsync("/api/status");
        var status = AdminClient.Read<StatusView>(answer);
        if (call.Json)
        {
            call.Out.WriteLine(answer);
        }
        else
        {
            call.Terminal.WriteFacts(
            [
                ("version", status.Version),
                ("running since", Invocation.Text(status.StartedAt)),
                ("domains", string.Join(", ", status.Hosts)),
                ("room services", string.Join(", ", status.RoomServices)),
                ("listening", status.Addresses),
                ("storage", $"{status.Storage}, {Invocation.Size(status.StorageBytes)}: {status.StorageText}"),
                ("sessions", Invocation.Text(status.Sessions)),
                ("rooms in memory", Invocation.Text(status.RoomsInMemory)),
                ("memory", Invocation.Size(status.MemoryBytes)),
                ("CPU time", string.Create(CultureInfo.InvariantCulture, $"{status.CpuSeconds:0.0} s")),
            ]);
        }
        // For scripts that watch it: running, but unable to keep what is said.
        if (!status.StorageWorking) throw new CommandException($"the storage does not work: {status.StorageText}");
    }
}
