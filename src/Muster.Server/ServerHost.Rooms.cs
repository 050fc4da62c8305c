using Microsoft.Extensions.Logging;
using Muster.Core.Delivery;
using Muster.Core.RoomLogs;
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
                iq => _iqTable.Answer(iq, Target.RoomService, settings.Service, parts.Sessions.FindSession(iq.From)),
                PublicLogsOf(config.ModulesOf(host).MucLog, parts)));
        }
        return services;
    }

    PublicLogs? PublicLogsOf(MucLogConfig config, RoomParts parts)
    {
        if (!config.Enabled) return null;
        return new PublicLogs(new PublicLogSettings
        {
            Folder = Path.Combine(_folder, config.OutDir),
            Zone = config.UsesUtc ? TimeZoneInfo.Utc : parts.Clock.LocalTimeZone,
            Style = new RoomLogStyle
            {
                IsHtml = config.FileFormat == LogFileFormat.Html,
                HasSubfolders = config.DirType == LogDirType.Subdirs,
                IsNamedByAddress = config.DirName == LogDirName.RoomJid,
                CssFile = config.CssFile,
                TopLinkTarget = config.TopLink.Target,
                TopLinkText = config.TopLink.Text,
                HasNoFollow = config.SpamPrevention,
            },
        }, parts.Clock, parts.Meters.PublicLogs, parts.Logs.CreateLogger<PublicLogs>());
    }

    /// <summary>The room service of a served domain. A service with a fixed name, not one made of @HOST@, belongs to
    /// the first domain alone.</summary>
    RoomSettings RoomSettingsOf(ServerConfig config, string host)
    {
        var (muc, log) = (config.ModulesOf(host).Muc, config.ModulesOf(host).MucLog);
        var (offline, room) = (config.ModulesOf(host).MucOfflineDelivery, muc.DefaultRoom);
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
                ReservesNicks = muc.AutoReserveNicks,
                EnforcesNicks = muc.EnforceRegisteredNickname,
                LogsAddress = log.Enabled ? log.Url : null,
                LogsAreByAddress = log.DirName == LogDirName.RoomJid,
                OfflineDelivery = offline.Enabled,
                OfflineDeliveryDefault = offline.Default,
                OfflineTargetsMax = offline.MaxTargets,
                OfflineUnmoderatedOnly = offline.UnmoderatedOnly,
                ArchiveIds = _archiveIds,
                AnswersArchiveQueries = config.Modules.Mam.Enabled,
                Features = config.ModulesOf(host).MucCloudNotify.Enabled ? [PushContent.Namespace] : [],
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
                // muc.md §19: without mod_muc_log nobody.
                Log = log.Enabled ? Rule(log.AccessLog) : static _ => false,
            },
            ConferencesPerUserMax = muc.MaxUserConferences,
            MailboxMax = config.Limits.RoomMailboxLengthMax,
            CheckPassword = _pools.GetValueOrDefault(muc.HttpAuthPool ?? "") is { } pool
                ? new PasswordService(pool).Check
                : null,
            HibernateTimeout = muc.HibernateTimeout,
            HibernatedRoomCheckInterval = muc.HibernatedRoomCheckInterval,
            HibernatedRoomTimeout = muc.HibernatedRoomTimeout,
            LoadAtStart = muc.LoadPermanentRoomsAtStartup,
            ProbeInterval = config.Instrumentation.ProbeInterval,
        };

        int? Rate(string? shaper) => shaper is null ? null : config.Shapers[shaper].MaxRate;

        Func<Jid, bool> Rule(string name) => who => _live.Access.Allows(name, who, host);
    }
}
