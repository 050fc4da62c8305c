using System.CommandLine;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster features</c>: which specifications this program implements.</summary>
static class FeaturesCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandLine line) =>
        line.Make("features", "List the specifications, with version and state", call =>
        {
            var list = AdminApi.FeaturesOf(Server.Features.All.Create());
            if (call.Json)
            {
                call.WriteJson(list);
                return Task.CompletedTask;
            }
            call.Terminal.WriteTable(["specification", "feature", "version", "state", "note"],
                list.Features.Select(feature => new[]
                {
                    feature.Specification, feature.Name, feature.Version, feature.Support, feature.Note,
                }));
            return Task.CompletedTask;
        });
}
