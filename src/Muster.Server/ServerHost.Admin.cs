using Microsoft.AspNetCore.Http;
using Muster.Server.Config;
using Muster.Server.Features;
using Muster.Server.Http;

namespace Muster.Server;

/// <summary>Administration: by the socket in the data folder, and over HTTP with a token.</summary>
sealed partial class ServerHost
{
    /// <summary>What administrators can do.</summary>
    public AdminApi Admin { get; }

    /// <summary>Where the web chat is; null when no listener serves it, or none is open.</summary>
    public string? ChatAddress
    {
        get
        {
            var chat = _config.Listen.Http.FirstOrDefault(listener => listener.Services.Contains(HttpService.Chat));
            if (chat is null || _listeners is null) return null;
            return $"{chat.PublicUrl ?? _listeners.AddressOf(chat)}/chat/";
        }
    }

    /// <summary>Opens the socket of the administration, and nothing else: for working on the data of a server that is
    /// stopped.</summary>
    /// <exception cref="StartException">The socket cannot be opened.</exception>
    public async Task StartForAdminAsync() =>
        _listeners = await Listeners.OpenAsync([], [], [], [], AdminSocket.Prepare(_folder), _routes, _overrides.Logs);

    AdminApi MapAdmin(Feature[] features)
    {
        var log = _overrides.Logs.CreateLogger("Muster.Admin");
        var api = new AdminApi(new AdminParts(Services, [.. Services.Rooms.Values], _config.General.Hosts, features,
            () => Addresses, ReloadAsync, log));
        bool isOnHttp = _overrides.OpensListeners
            && _config.Listen.Http.Any(listener => listener.Services.Contains(HttpService.Api));
        var access = isOnHttp ? AdminAccess.Open(_folder) : null;
        RequestDelegate handle = http => http.Features.Get<AdminDoor>() is not null || access?.Allows(http) == true
            ? api.HandleAsync(http)
            : AdminAccess.RefuseAsync(http);
        _routes.Map(HttpService.Api, AdminApi.Root + "/{**path}", handle);
        return api;
    }
}
