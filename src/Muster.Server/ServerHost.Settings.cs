using Microsoft.Extensions.Logging;
using Muster.Core.Delivery;
using Muster.Core.Joins;
using Muster.Core.Limits;
using Muster.Core.Sessions;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Accounts;
using Muster.Server.Archives;
using Muster.Server.Config;
using Muster.Server.Features.Push;
using Muster.Server.Http;
using Muster.Server.Net;
using Muster.Server.Rooms;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <content>From the configuration to what each part is made with.</content>
sealed partial class ServerHost
{
    static readonly TimeSpan Never = TimeSpan.FromDays(10_000);

    ClientSettings ClientSettingsOf(Listener listener, CertificateSource? certificate) => new()
    {
        Policy = PolicyOf(listener.Tls.Mode),
        Limits = new(ItemBytesMax: listener.MaxStanzaSize),
        LoginTimeout = listener.LoginTimeout,
        LoginBytesMax = _live.Limits.UnauthenticatedBytesMax,
        OutboundBytesMax = _live.Limits.OutboundBytesMax,
        IdleTimeout = _live.Modules.Ping is { Enabled: true, SendPings: true } ping ? ping.Interval : Never,
        PingTimeout = _live.Modules.Ping.Timeout,
        AckDelay = _live.Modules.Smacks.MaxAckDelay,
        AckTimeout = _live.Modules.Smacks.AckTimeout,
        WaitingStanzasMax = _live.Modules.Csi.Enabled ? _live.Limits.WaitingStanzasMax : 0,
        BytesPerSecondMax = listener.Shaper is { } shaper ? _live.Shapers[shaper].MaxRate : null,
        MayLogIn = MayLogIn(listener),
        ConnectionsMax = listener.MaxConnections ?? int.MaxValue,
        Certificate = certificate,
        // Over HTTPS it is Kestrel that speaks TLS.
        BeginsInTls = listener.Tls.Mode == TlsMode.Tls && listener is C2sListener,
    };

    Func<Jid, bool> MayLogIn(Listener listener)
    {
        string rule = listener switch { C2sListener c2s => c2s.Access, HttpListener http => http.Access, _ => "none" };
        return jid => _live.Access.Allows(rule, jid, jid.Domain.ToString());
    }

    ClientPolicy PolicyOf(TlsMode mode) => new()
    {
        Hosts = _config.General.Hosts.Select(Jid.Parse).ToHashSet(),
        DefaultHost = Jid.Parse(_config.DefaultDomain),
        Language = _config.General.Language,
        Tls = mode switch
        {
            TlsMode.StartTls => TlsPolicy.Required,
            TlsMode.StartTlsOptional => TlsPolicy.Optional,
            _ => TlsPolicy.NotOffered,
        },
        PlaintextAllowed = mode == TlsMode.None,
        Mechanisms = [.. _live.Auth.Methods],
        Pepper = _pepper,
        Iterations = _live.Auth.ScramIterations,
        Proved = _proved,
        OffersTokens = _live.Auth.Tokens.Enabled,
        TokenRotation = _live.Auth.Tokens.Rotation,
        InlineFeatures = [.. _slots.InlineFeatures.Where(
            name => name != Namespaces.StreamManagement || _live.Modules.Smacks.Enabled)],
        ServerFeatures = (progress, domain) => (progress & StreamProgress.Authenticated) == 0
            ? _early.StreamFeatures(domain)
            : _slots.StreamFeatures(domain),
        EarlyRequests = _early.Namespaces,
        StreamManagement = _live.Modules.Smacks.Enabled,
    };

    CertificateSource? CertificateOf(TlsConfig tls)
    {
        if (tls.Mode == TlsMode.None) return null;
        var (certFile, keyFile) = tls.CertFile is null
            ? SelfSignedCertificate.Ensure(_folder, _config.General.Hosts, _overrides.Clock.GetUtcNow())
            : (tls.CertFile, tls.KeyFile ?? tls.CertFile);
        try
        {
            return new CertificateSource(certFile, keyFile, tls.Password, _overrides.Clock, _clients.Log);
        }
        catch (Exception error) when (CertificateSource.IsUnreadable(error))
        {
            throw new StartException($"the certificate {certFile} cannot be loaded: {error.Message}", error);
        }
    }

    RegistrationSettings RegistrationOf(ServerConfig config) => new()
    {
        InBand = config.Registration.InBand,
        RateLimit = config.Registration.RateLimit,
        InvitationLifetime = config.Registration.InvitationLifetime,
        MayRegister = who => _live.Access.Allows(_live.Registration.Access, who, who.Domain.ToString()),
        MayCreateAccounts = who => _live.Access.Allows(_live.Registration.AccessInvite, who, who.Domain.ToString()),
    };

    InviteBook InviteBookOf(Database database) => new(database.Invites, _overrides.Clock,
        () => _live.Registration.InvitationLifetime, () => _live.Limits.InvitationsMax);

    TokenBook TokenBookOf(Database database, Meters meters) => new(
        database.Tokens, database.Accounts, _pepper, _overrides.Clock, () => _live.Auth.Tokens.Lifetime,
        () => _live.Limits.TokenClientsMax, meters.Accounts, _overrides.Logs.CreateLogger<TokenBook>());

    ArchiveReaders ArchiveReadersOf(Database database, SessionTable sessions, Router router, Meters meters) => new(
        database, sessions,
        () => new ArchiveLimits(_live.Modules.Mam.DefaultResultLimit, _live.Modules.Mam.MaxResultLimit),
        _archiveIds, router.Route, _overrides.Clock, meters.Archives,
        _overrides.Logs.CreateLogger<ArchiveReaders>());

    AccountArchive? AccountArchiveOf(ServerConfig config, Database database, Meters meters) =>
        config.Modules.Mam.Enabled
            ? new AccountArchive(database.Archive, _archiveIds, _overrides.Clock, meters.Archives)
            : null;

    AccountBook AccountBookOf(ServerConfig config, Database database, PushService pushes) =>
        new(database.Accounts, database.Tokens, _overrides.Clock, config.General.Hosts,
            () => _live.Auth.ScramIterations) { PasswordChanged = pushes.Registrations.RemoveAll };

    static IEnumerable<KeyValuePair<string, IStanzaTarget>> TargetsOf(
        ServerConfig config, LocalDomain local, IReadOnlyDictionary<string, RoomService> rooms) =>
        config.General.Hosts.Select(host => KeyValuePair.Create(host, (IStanzaTarget)local))
            .Concat(rooms.Select(room => KeyValuePair.Create(room.Key, (IStanzaTarget)room.Value)));

    static int? ArchiveRetentionOf(ServerConfig config) =>
        config.Modules.Mam.RetentionDays is > 0 and var days ? days : null;

    // Without mod_offline there is no room for any message.
    static ServerLimits LimitsOf(ServerConfig config) =>
        config.Modules.Offline.Enabled ? config.Limits : config.Limits with { OfflineMessagesMax = 0 };

    AccountPolicy AccountPolicyOf()
    {
        return new AccountPolicy
        {
            ArchiveIds = _archiveIds,
            SessionsMax = who => Number("max_user_sessions", who) ?? _live.Limits.SessionsPerUserMax,
            ArchiveDefault = who => _live.ModulesOf(who.Domain.ToString()).Mam.DefaultPolicy,
            IsArchiveEnough = who => _live.ModulesOf(who.Domain.ToString()).NoOfflineNoError.Enabled,
            StreamManagement = who => SmPolicyOf(_live.ModulesOf(who.Domain.ToString())),
            StoresRoomMessages = who =>
                _live.ModulesOf(who.Domain.ToString()).Offline is { Enabled: true, StoresMuc: true },
            OfflineMessagesMax = who => _live.ModulesOf(who.Domain.ToString()).Offline is { Enabled: true } offline
                ? Number(offline.AccessMaxUserMessages, who) ?? _live.Limits.OfflineMessagesMax
                : 0,
        };

        int? Number(string rule, Jid who) =>
            _live.Access.Evaluate(rule, who, who.Domain.ToString()).Number is { } number
            ? (int)Math.Clamp(number, 0, int.MaxValue)
            : null;
    }

    SmPolicy SmPolicyOf(ModulesConfig modules) => new()
    {
        IsEnabled = modules.Smacks.Enabled,
        Patience = modules.Smacks.HibernationTime,
        HibernatedMax = modules.Smacks.MaxHibernatedSessions,
        OldMax = modules.Smacks.MaxOldSessions,
        OldTime = modules.Smacks.OldSessionTime,
        UnackedMax = modules.Smacks.MaxUnackedStanzas,
        InactiveUnackedMax = modules.Smacks.MaxInactiveUnackedStanzas,
        Queue = new SmQueueLimits
        {
            CountMax = modules.Smacks.MaxQueueSize,
            BytesMax = modules.Smacks.MaxQueueBytes,
            HasArchive = jid => Services.Rooms.ContainsKey(jid.Domain.ToString())
                || (modules.Mam.Enabled && Services.Local.Serves(jid)),
            ArchiveIds = _archiveIds,
        },
        Unacked = new UnackedRules
        {
            RedeliversToOthers = modules.Smacks.Redeliver == SmacksRedeliver.OtherResources,
            BouncesPresence = modules.Smacks.BouncePresence,
            KeepsOffline = modules.Offline.Enabled,
            IsSilentWithoutOffline = modules.NoOfflineNoError.Enabled && modules.Mam.Enabled,
        },
    };

    JoinWatch JoinWatchOf(
        ServerConfig config, Router router, SessionTable sessions, Database database, Meters meters)
    {
        var watch = new JoinWatch(config.General.Hosts, router, sessions, _resumable, database, _overrides.Clock,
            meters, _overrides.Logs);
        watch.Apply(host => JoinRulesOf(config.ModulesOf(host)));
        return watch;
    }

    // mod_ping_muc needs to know who is where, as the reference loads mod_track_muc_joins with it.
    static JoinRules JoinRulesOf(ModulesConfig modules) => new()
    {
        Tracks = modules.TrackMucJoins.Enabled || modules.PingMuc.Enabled,
        Asks = modules.PingMuc.Enabled,
        RoomsMax = modules.TrackMucJoins.Max,
        StatusCodes = modules.PingMuc.StatusCodes,
        Rejoins = modules.PingMuc.AutoRejoin,
        Checks = new CheckRules
        {
            Delay = modules.PingMuc.Delay,
            Timeout = modules.PingMuc.Timeout,
            GiveUp = modules.PingMuc.GiveUp,
            IsStrict = modules.PingMuc.StrictReference,
            Silence = modules.PingMuc.Silence,
            RatePerSecond = modules.PingMuc.Rate,
        },
    };

    HttpPool PoolOf(string name, HttpPoolConfig config, Meters meters) =>
        new(name, config, _overrides.Clock, meters.HttpPools, _overrides.Logs.CreateLogger("Muster.Http"));

    static StorageOptions StorageOptionsOf(ServerConfig config, string folder, ServerOverrides overrides) => new()
    {
        Backend = config.Storage.Backend switch
        {
            Config.StorageBackend.Postgres => Storage.StorageBackend.Postgres,
            Config.StorageBackend.Memory => Storage.StorageBackend.Memory,
            _ => Storage.StorageBackend.Sqlite,
        },
        Path = config.Storage.Path ?? Path.Combine(folder, "muster.db"),
        Connection = config.Storage.Connection ?? "",
        Durability = config.Storage.Durability == Config.Durability.Full
            ? Storage.Durability.Full
            : Storage.Durability.Normal,
        Log = overrides.Logs.CreateLogger("Muster.Storage"),
    };
}
