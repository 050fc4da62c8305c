using Muster.Core.Archive;

namespace Muster.Server.Config;

/// <summary>What happens to a message of a dead session while the account has other sessions.</summary>
enum SmacksRedeliver { Bounce, OtherResources }

/// <summary>Stream management (XEP-0198; Prosody's mod_smacks).</summary>
sealed class SmacksConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();

    public TimeSpan HibernationTime { get; } = s.Seconds("smacks_hibernation_time", 600,
        "How long a session without connection waits to be resumed.");

    public bool EnabledS2s { get; } = s.Flag("smacks_enabled_s2s", true,
        "Whether streams between servers are managed too.");

    public bool S2sResend { get; } = s.Flag("smacks_s2s_resend", false,
        "Whether what another server did not acknowledge is sent again when its stream dies, instead of bounced.");

    public TimeSpan S2sHibernationTime { get; } = s.Seconds("smacks_s2s_hibernation_time", 120,
        "How long a stream between servers waits to be resumed.");

    public int MaxUnackedStanzas { get; } = s.Int("smacks_max_unacked_stanzas", 0,
        "Stanzas sent before an acknowledgement is asked for; 0 asks after each burst.", unit: "stanzas");

    public int MaxInactiveUnackedStanzas { get; } = s.Int("smacks_max_inactive_unacked_stanzas", 256,
        "The same while the client says that it is inactive (XEP-0352).", unit: "stanzas");

    public TimeSpan MaxAckDelay { get; } = s.Seconds("smacks_max_ack_delay", 30,
        "An acknowledgement that is outstanding for longer makes push notifications go out; 0 for never.", min: 0);

    public TimeSpan AckTimeout { get; } = s.Seconds("smacks_ack_timeout", 0,
        "An acknowledgement that is outstanding for longer ends the connection, not the session; 0 for never.", min: 0);

    public int MaxHibernatedSessions { get; } = s.Int("smacks_max_hibernated_sessions", 10,
        "Sessions of a user that may wait to be resumed; one more ends the one that waits longest.", min: 1,
        unit: "sessions");

    public int MaxOldSessions { get; } = s.Int("smacks_max_old_sessions", 10,
        "Ended sessions of a user whose count of handled stanzas is still told.", min: 1, unit: "sessions");

    public TimeSpan OldSessionTime { get; } = s.Seconds("smacks_old_session_time", 172_800, "How long it is told.");

    public int MaxQueueSize { get; } = s.Int("smacks_max_queue_size", 500,
        "Unacknowledged stanzas that are kept; beyond that, messages that an archive has are read from there, and " +
        "others end the session.", min: 1, unit: "stanzas");

    public int MaxQueueBytes { get; } = s.Int("smacks_max_queue_bytes", 4 * 1024 * 1024, "The same in bytes.",
        min: 65_536, unit: "bytes");

    public SmacksRedeliver Redeliver { get; } = s.Choice("smacks_redeliver", SmacksRedeliver.OtherResources,
        "A message that a dead session did not get while the account has others: to those, unless they have it, or " +
        "back to the sender as in the reference.",
        [("other_resources", SmacksRedeliver.OtherResources), ("bounce", SmacksRedeliver.Bounce)]);

    public bool BouncePresence { get; } = s.Flag("smacks_bounce_presence", false,
        "Whether unacknowledged presence is bounced as in the reference.");
}

/// <summary>Push notifications for the users of this server (XEP-0357; Prosody's mod_cloud_notify).</summary>
sealed class CloudNotifyConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();
    public PushConfig Push { get; } = new(s);

    public TimeSpan MaxHibernationTimeout { get; } = s.Seconds("push_max_hibernation_timeout", 259_200,
        "How long a session of a device with push waits to be resumed while nothing was pushed to it.");
}

/// <summary>The server's own push service, for browsers (Web Push, RFC 8030).</summary>
sealed class WebPushConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();

    public string? Contact { get; } = s.Parsed<string?>("web_push_contact", null, null,
        "a mailto: or https: address", "Where the operators of push services reach you: they get it with each push.",
        static text => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "mailto" or "https" ? text
            : null, "mailto:postmaster@ and the first of general.hosts");

    public IReadOnlyList<string> Hosts { get; } = s.Domains("web_push_hosts", [],
        "Hosts of push services that may be used, with what is below them; none named: all in the public internet.");

    public IReadOnlyList<string> PrivateHosts { get; } = s.Domains("web_push_private_hosts", [],
        "Hosts of push services that may have any address, as one in your own network has. Users choose what is " +
        "called there.");

    public TimeSpan Life { get; } = s.Seconds("web_push_ttl", 86_400,
        "How long a push service keeps a message for a browser that is away.", min: 0);
}

/// <summary>Pings that keep streams to other servers alive (Prosody's mod_s2s_keepalive).</summary>
sealed class S2sKeepaliveConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<string> Servers { get; } =
        s.Domains("keepalive_servers", [], "Servers that are pinged; none named: all.");
    public TimeSpan Interval { get; } = s.Seconds("keepalive_interval", 60, "Time between pings.");
    public TimeSpan Timeout { get; } = s.Seconds(
        "keepalive_timeout", 593, "A stream without an answer for this long is closed.");
}

/// <summary>Message archives (XEP-0313).</summary>
sealed class MamConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();

    public int DefaultResultLimit { get; } = s.Int("default_result_limit", 50,
        "Messages in a page of results when the client does not say.", min: 1, max: 1000, unit: "messages");

    public ArchiveDefault DefaultPolicy { get; } = s.Choice("default_policy", ArchiveDefault.Always,
        "What the archive of an account keeps while its user has not said so (XEP-0441).",
        [("always", ArchiveDefault.Always), ("roster", ArchiveDefault.Roster), ("never", ArchiveDefault.Never)]);

    public int RetentionDays { get; } = s.Int("retention_days", 0,
        "Archived messages of rooms and accounts that are older are removed; 0 keeps them for ever.", unit: "days",
        max: 36_500);

    public int MaxResultLimit { get; } = s.Int("max_result_limit", 250, "Most messages in a page of results.",
        min: 1, max: 1000, unit: "messages");
}

/// <summary>Messages for accounts that are offline.</summary>
sealed class OfflineConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();

    public string AccessMaxUserMessages { get; } = s.Rule("access_max_user_messages", "max_user_offline_messages",
        "Access rule that gives the number of messages kept for a user; while it is not defined, " +
        "limits.offline_messages does.");

    public bool StoresMuc { get; } = s.Flag("muc_offline_store", false,
        "Whether messages of rooms that are sent to an absent user's bare address are kept too, and not only pushed.");
}

/// <summary>Pings to clients (XEP-0199), which find dead connections.</summary>
sealed class PingConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();

    public bool SendPings { get; } = s.Flag("send_pings", true, "Whether clients that are silent are pinged.");
    public TimeSpan Interval { get; } = s.Seconds("ping_interval", 240, "Silence after which a client is pinged.");
    public TimeSpan Timeout { get; } = s.Seconds(
        "ping_req_timeout", 32, "A client that has not answered after this time is disconnected.");
}

/// <summary>A module that can only be on or off.</summary>
sealed class SwitchConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();
}

/// <summary>A module that is off unless the file has its table.</summary>
sealed class OptInConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled() && s.IsGiven;
}

/// <summary>Every module. All are on unless the file says <c>enabled = false</c>.</summary>
sealed class ModulesConfig(Section s)
{
    const string MongooseIm = "MongooseIM mod_muc", Prosody = "Prosody ";

    public MucConfig Muc { get; } = s.Table("mod_muc", "Group chat (XEP-0045).", t => new MucConfig(t), MongooseIm,
        reloads: true);

    public MucLogConfig MucLog { get; } = s.Table("mod_muc_log",
        "Public logs of rooms that have \"logging\" on. Unlike other modules, off while the file does not have it.",
        t => new MucLogConfig(t), "MongooseIM mod_muc_log");

    public SmacksConfig Smacks { get; } = s.Table(
        "mod_smacks", "Stream management (XEP-0198): acknowledgements and resumption.",
        t => new SmacksConfig(t), Prosody + "mod_smacks", reloads: true);

    public TrackMucJoinsConfig TrackMucJoins { get; } = s.Table("mod_track_muc_joins",
        "Remembers which rooms each session is in.", t => new TrackMucJoinsConfig(t), Prosody + "mod_track_muc_joins",
        reloads: true);

    public PingMucConfig PingMuc { get; } = s.Table("mod_ping_muc",
        "Finds out when users have dropped out of rooms of other servers, and tells them.", t => new PingMucConfig(t),
        Prosody + "mod_ping_muc", reloads: true);

    public MucOfflineDeliveryConfig MucOfflineDelivery { get; } = s.Table("mod_muc_offline_delivery",
        "Sends messages of a room to members who are not inside.", t => new MucOfflineDeliveryConfig(t),
        Prosody + "mod_muc_offline_delivery", reloads: true);

    public MucCloudNotifyConfig MucCloudNotify { get; } = s.Table("mod_muc_cloud_notify",
        "Push notifications of rooms to members who are not inside.", t => new MucCloudNotifyConfig(t),
        Prosody + "mod_muc_cloud_notify", reloads: true);

    public CloudNotifyConfig CloudNotify { get; } = s.Table("mod_cloud_notify", "Push notifications (XEP-0357).",
        t => new CloudNotifyConfig(t), Prosody + "mod_cloud_notify", reloads: true);

    public WebPushConfig WebPush { get; } = s.Table("mod_web_push",
        "Push notifications in browsers without anybody's app server: Web Push (RFC 8030), for the web chat.",
        t => new WebPushConfig(t), reloads: true);

    public S2sKeepaliveConfig S2sKeepalive { get; } =
        s.Table("mod_s2s_keepalive", "Keeps streams to other servers alive.",
        t => new S2sKeepaliveConfig(t), Prosody + "mod_s2s_keepalive", reloads: true);

    public MamConfig Mam { get; } = s.Table("mod_mam", "Message archives (XEP-0313).", t => new MamConfig(t),
        reloads: true);

    public OfflineConfig Offline { get; } = s.Table("mod_offline", "Keeps messages for accounts that are offline.",
        t => new OfflineConfig(t), reloads: true);

    public OptInConfig NoOfflineNoError { get; } = s.Table("mod_nooffline_noerror",
        "Sends no error for a message that is not kept because mod_offline is off: the archive (mod_mam) has it. " +
        "Unlike other modules, off while the file does not have it.",
        t => new OptInConfig(t), Prosody + "mod_nooffline_noerror", reloads: true);

    public SwitchConfig CarbonCopy { get; } =
        s.Table("mod_carboncopy", "Copies of messages to the other devices of a user (XEP-0280).",
        t => new SwitchConfig(t));

    public SwitchConfig Csi { get; } = s.Table(
        "mod_csi", "Clients say when nobody looks at them (XEP-0352).", t => new SwitchConfig(t));
    public SwitchConfig Roster { get; } = s.Table("mod_roster", "Contact lists (RFC 6121).", t => new SwitchConfig(t));
    public SwitchConfig Blocking { get; } = s.Table(
        "mod_blocking", "Blocking of addresses (XEP-0191).", t => new SwitchConfig(t));
    public SwitchConfig Disco { get; } = s.Table(
        "mod_disco", "Service discovery (XEP-0030).", t => new SwitchConfig(t));
    public SwitchConfig Vcard { get; } = s.Table("mod_vcard", "vCards (XEP-0054).", t => new SwitchConfig(t));
    public SwitchConfig Private { get; } = s.Table(
        "mod_private", "Private XML of clients (XEP-0049).", t => new SwitchConfig(t));
    public SwitchConfig Last { get; } = s.Table("mod_last", "Last activity (XEP-0012).", t => new SwitchConfig(t));
    public SwitchConfig Version { get; } = s.Table(
        "mod_version", "Software version (XEP-0092).", t => new SwitchConfig(t));
    public SwitchConfig Time { get; } = s.Table("mod_time", "Entity time (XEP-0202).", t => new SwitchConfig(t));
    public PingConfig Ping { get; } = s.Table("mod_ping", "Pings (XEP-0199).", t => new PingConfig(t), reloads: true);
}

/// <summary>What one of the served domains has otherwise than the others.</summary>
sealed class HostConfig(Section s, Section general)
{
    public string Host { get; } = s.RequiredDomain("host", "localhost", "One of general.hosts.");
    public ModulesConfig Modules { get; } = s.TableOver("modules", general, t => new ModulesConfig(t));
    internal string ConfigPath { get; } = s.Path;
}
