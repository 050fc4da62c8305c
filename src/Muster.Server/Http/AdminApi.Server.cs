using System.Diagnostics;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Muster.Server.Routing;

namespace Muster.Server.Http;

/// <summary>The server itself: status, features, backup, configuration.</summary>
sealed partial class AdminApi
{
    /// <summary>The version of the program.</summary>
    public static string Version { get; } = typeof(AdminApi).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    IEnumerable<AdminOperation> ServerOperations() =>
    [
        AdminOperation.OfDocument(HttpMethods.Get, "/api/openapi.json", "This description, in OpenAPI 3.1.",
            () => _openApi.Value),
        AdminOperation.Of(HttpMethods.Get, "/api/status", "The server at a glance.", GetStatus),
        AdminOperation.Of(HttpMethods.Get, "/api/features", "The specifications that the server implements.",
            _ => Task.FromResult(FeaturesOf(_parts.Features))),
        AdminOperation.Of(HttpMethods.Get, "/api/components", "The external components, connected or not.",
            _ => Task.FromResult(new ComponentList([.. _parts.Services.Components.All.Select(View)]))),
        AdminOperation.With<BackupRequest, BackupView>(HttpMethods.Post, "/api/backup",
            "Writes a copy of the database to a new file on the server's machine; everything goes on meanwhile.",
            PostBackup),
        AdminOperation.Of(HttpMethods.Post, "/api/config/reload",
            "Reads the configuration again and applies what can be applied without a restart.", _ => _parts.Reload()),
    ];

    /// <summary>The features for people and scripts.</summary>
    public static FeatureList FeaturesOf(IEnumerable<Features.Feature> features) => new([.. features.Select(View)]);

    async Task<StatusView> GetStatus(AdminCall call)
    {
        var services = _parts.Services;
        var health = await services.Database.Check(call.Cancel);
        using var process = Process.GetCurrentProcess();
        return new StatusView(Version, _startedAt, [.. _parts.Hosts],
            [.. _parts.Rooms.Select(rooms => rooms.Settings.Service.ToString())], _parts.Addresses(),
            services.Database.Description, health.Working, health.Text, health.SizeBytes, services.Sessions.Count,
            _parts.Rooms.Sum(rooms => rooms.Live.Count()), process.WorkingSet64,
            Math.Round(process.TotalProcessorTime.TotalSeconds, 2));
    }

    async Task<BackupView> PostBackup(AdminCall call, BackupRequest request)
    {
        string path = request.Path;
        if (path.Contains('\0', StringComparison.Ordinal) || !Path.IsPathFullyQualified(path))
            throw AdminException.Invalid($"'{path}' is no absolute path");
        await _parts.Services.Database.Backup(path, call.Cancel);
        return new BackupView(path, new FileInfo(path).Length);
    }

    static ComponentView View(ComponentRoute route) => new(route.Domain.ToString(), route.Host.ToString(),
        route.Link?.Id, route.Link?.Address, route.ConnectedAt, route.Received, route.Sent, route.Bounced);

    static FeatureView View(Features.Feature feature)
    {
        var info = feature.Info;
        return new FeatureView(info.Xep > 0 ? $"XEP-{info.Xep:D4}" : info.Note, feature.GetType().Name, info.Version,
            info.Support.ToString().ToLowerInvariant(), info.Xep > 0 ? info.Note : "");
    }
}
