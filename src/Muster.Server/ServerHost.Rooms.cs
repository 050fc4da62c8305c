using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Server.Config;
using Muster.Server.Features;
using Muster.Server.Http;
using Muster.Server.Rooms;

namespace Muster.Server;

/// <summary>The room services, one for each served domain.</summary>
sealed partial class ServerHost
{
    Dictionary<string, RoomService> RoomServicesOf(ServerConfig config, RoomParts parts)
    {
        var services = new Dictionary<string, RoomService>(StringComparer.Ordinal);
        foreach (string host in config.General.Hosts.Where(host => config.ModulesOf(host).Muc.Enabled))
        {
            var settings = RoomSettingsOf(config, host);
            services.TryAdd(settings.Service.ToString(), new RoomService(settings, parts,
                iq => _iqTable.Answer(iq, Target.RoomService, settings.Service, parts.Sessions.FindSession(iq.From))));
        }
        return services;
    }

    /// <summary>The room service of a served domain. A service with a fixed name, not one made of @HOST@, belongs to
    /// the first domain alone.</summary>
    RoomSettings RoomSettingsOf(ServerConfig config, string host)
    {
        var muc = config.ModulesOf(host).Muc;
        var room = muc.DefaultRoom;
        return new RoomSettings
        {
            Service = Jid.Parse(muc.HostFor(host)),
            Host = Jid.Parse(host),
            Policy = new RoomPolicy
            {
                RoomIdBytesMax = muc.MaxRoomId ?? int.MaxValue,
                TitleBytesMax = muc.MaxRoomName ?? int.MaxValue,
                DescriptionBytesMax = muc.MaxRoomDesc ?? int.MaxValue,
                HistorySize = muc.HistorySize,
                UsersMax = muc.MaxUsers,
                UsersAdminThreshold = muc.MaxUsersAdminThreshold,
                AffiliationsMax = config.Limits.RoomAffiliationsMax,
                MessageIntervalMin = muc.MinMessageInterval,
                PresenceIntervalMin = muc.MinPresenceInterval,
                RoomRate = Rate(muc.RoomShaper),
                UserMessageRate = Rate(muc.UserMessageShaper),
                UserPresenceRate = Rate(muc.UserPresenceShaper),
                ExternalPasswords = muc.HttpAuthPool is not null,
                Registration = muc.RegisterPolicy switch
                {
                    RegisterPolicy.Members => RoomRegistration.Members,
                    RegisterPolicy.Occupants => RoomRegistration.Occupants,
                    _ => RoomRegistration.Anyone,
                },
            },
            Defaults = room.Options,
            Affiliations = [.. room.Affiliations.Where(entry => entry.Affiliation != Affiliation.None)
                .Select(entry => new AffiliationEntry(entry.Jid, entry.Affiliation))],
            Subject = room.Subject.Length == 0 ? null : new RoomSubject(room.Subject, room.SubjectAuthor, null),
            Access = new RoomAccess
            {
                Use = Rule(muc.Access),
                Create = Rule(muc.AccessCreate),
                Admin = Rule(muc.AccessAdmin),
                Persist = Rule(muc.AccessPersistent),
                // muc.md §19: without mod_muc_log nobody; this version does not have it.
                Log = static _ => false,
            },
            ConferencesPerUserMax = muc.MaxUserConferences,
            MailboxMax = config.Limits.RoomMailboxLengthMax,
            CheckPassword = muc.HttpAuthPool is { } pool ? new PasswordService(_pools[pool]).Check : null,
            HibernateTimeout = muc.HibernateTimeout,
            HibernatedRoomCheckInterval = muc.HibernatedRoomCheckInterval,
            HibernatedRoomTimeout = muc.HibernatedRoomTimeout,
            LoadAtStart = muc.LoadPermanentRoomsAtStartup,
            ProbeInterval = config.Instrumentation.ProbeInterval,
        };

        int? Rate(string? shaper) => shaper is null ? null : config.Shapers[shaper].MaxRate;

        Func<Jid, bool> Rule(string name) => who => config.Access.Allows(name, who, host);
    }
}
