using Muster.Server.Config;
using Muster.Server.Http;

namespace Muster.Server;

/// <summary>Another configuration while the server runs.</summary>
sealed partial class ServerHost
{
    /// <summary>Reads the configuration again and applies what needs no restart. One that is wrong changes
    /// nothing.</summary>
    /// <exception cref="AdminException">The configuration is wrong.</exception>
    public Task<ReloadView> ReloadAsync()
    {
        if (ReadConfig is null) throw AdminException.Conflict("no server runs, so there is nothing to reload");
        var (config, problems) = ReadConfig();
        if (config is null) throw AdminException.Invalid(string.Join('\n', problems));
        var diff = ConfigDiff.Between(_config, config);
        return Task.FromResult(new ReloadView([.. diff.Live.Select(c => c.ToString())],
            [.. diff.NeedRestart.Select(c => c.ToString())], [.. problems.Select(p => p.ToString())]));
    }
}
