namespace Muster.Server.Config;

/// <summary>How log files are spread over folders.</summary>
enum LogDirType { Subdirs, Plain }

/// <summary>What the folder of a room is called.</summary>
enum LogDirName { RoomJid, RoomName }

/// <summary>How log files are written.</summary>
enum LogFileFormat { Html, PlainText }

/// <summary>Public logs of rooms in files (MongooseIM's mod_muc_log).</summary>
sealed class MucLogConfig(Section s)
{
    // muc.md §19: nothing becomes public unless the file has the table, whatever default_room says.
    public bool Enabled { get; } = s.Enabled() && s.IsGiven;

    public string OutDir { get; } = s.Text("outdir", "www/muc",
        "Folder of the logs; a relative one is in the data folder. Made when it is not there.", nonEmpty: true);

    public string AccessLog { get; } = s.Rule("access_log", "muc_admin",
        "Access rule: which room owners may see and change whether their room is logged.");

    public LogDirType DirType { get; } = s.Choice("dirtype", LogDirType.Subdirs,
        "\"subdirs\": ROOM/YYYY/MM/DD.html; \"plain\": ROOM/YYYY-MM-DD.html.",
        [("subdirs", LogDirType.Subdirs), ("plain", LogDirType.Plain)]);

    public LogDirName DirName { get; } = s.Choice("dirname", LogDirName.RoomJid,
        "The folder of a room: its address, or the part of it before the @.",
        [("room_jid", LogDirName.RoomJid), ("room_name", LogDirName.RoomName)]);

    public LogFileFormat FileFormat { get; } = s.Choice("file_format", LogFileFormat.Html, "Web pages, or plain text.",
        [("html", LogFileFormat.Html), ("plaintext", LogFileFormat.PlainText)]);

    public string? CssFile { get; } = s.OptionalText("css_file", "the pages carry their own style",
        "Address of a style sheet that the pages link to.");

    public string? Url { get; } = s.Parsed("url", null, null, "an http:// or https:// address",
        "Web address at which your web server shows outdir; rooms that are logged tell it to clients, followed by " +
        "the name of their folder.", static text => Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https" ? text.TrimEnd('/') : null, unset: "rooms tell no address");

    public bool UsesUtc { get; } = s.Choice("timezone", false, "Time zone of file names and times.",
        [("local", false), ("universal", true)]);

    public TopLinkConfig TopLink { get; } = s.Table("top_link", "The link at the top of each page.",
        t => new TopLinkConfig(t));

    public bool SpamPrevention { get; } = s.Flag("spam_prevention", true,
        "Whether links that users wrote carry rel=\"nofollow\", so that search engines do not reward them.");
}

/// <summary>The link at the top of each page.</summary>
sealed class TopLinkConfig(Section s)
{
    public string Target { get; } = s.Text("target", "/", "Where it leads.", nonEmpty: true);
    public string Text { get; } = s.Text("text", "Home", "What it says; may be HTML.", nonEmpty: true);
}

/// <summary>Which rooms a session is in, as its own server knows (Prosody's mod_track_muc_joins).</summary>
sealed class TrackMucJoinsConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();

    public int Max { get; } = s.Int("track_muc_joins_max", 1000,
        "Rooms remembered for one session; beyond it the one that was silent longest is forgotten.", min: 1,
        unit: "rooms");
}

/// <summary>Asks rooms after a lost server connection whether users are still inside (Prosody's
/// mod_ping_muc).</summary>
sealed class PingMucConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();
    public TimeSpan Delay { get; } = s.Seconds(
        "ping_muc_delay", 60, "Time between the end of a server connection and the pings.");
    public TimeSpan Timeout { get; } = s.Seconds("ping_muc_timeout", 60, "How long a room may take to answer.");

    public TimeSpan GiveUp { get; } = s.Minutes("ping_muc_give_up", 30,
        "A room that could not be reached for this long counts as left.");

    public bool StrictReference { get; } = s.Flag("ping_muc_strict_reference", false,
        "Whether every error and timeout counts as left at once, as in the reference.");

    public IReadOnlyList<int> StatusCodes { get; } = s.Ints("ping_muc_status_codes", [110, 330, 333],
        "Status codes of the notice to the client.", min: 100, max: 999);

    public TimeSpan Silence { get; } = s.Minutes("ping_muc_silence", 15,
        "Rooms that were silent for this long are asked without a lost connection; 0 for never.", min: 0);

    public int Rate { get; } = s.Int("ping_muc_rate", 50, "Most pings to one domain.", min: 1, unit: "pings/second");

    public bool AutoRejoin { get; } = s.Flag("ping_muc_autorejoin", false,
        "Whether accounts that do not say otherwise are brought back into lost rooms by the server.");
}

/// <summary>Messages of rooms for members who are not inside (Prosody's mod_muc_offline_delivery, Tigase's
/// extension).</summary>
sealed class MucOfflineDeliveryConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();

    public bool Default { get; } = s.Flag("muc_offline_delivery_default", false,
        "Whether members who never chose get the messages.");

    public int MaxTargets { get; } = s.Int("muc_offline_delivery_max_targets", 5000,
        "Members of one room that get its messages.", unit: "members");

    public bool UnmoderatedOnly { get; } = s.Flag("muc_offline_delivery_unmoderated_only", false,
        "Whether moderated rooms do not offer it.");
}

/// <summary>When a room's service pushes to absent members.</summary>
enum MucPushNotify { Mentions, All, MembersOnlyAll }

/// <summary>Push notifications from the room service (Prosody's mod_muc_cloud_notify).</summary>
sealed class MucCloudNotifyConfig(Section s)
{
    public bool Enabled { get; } = s.Enabled();
    public PushConfig Push { get; } = new(s);

    public MucPushNotify Notify { get; } = s.Choice("muc_push_notify", MucPushNotify.MembersOnlyAll,
        "What is pushed to absent members: messages that mention them, all messages, or all in members-only rooms " +
        "and mentions in others.",
        [("mentions", MucPushNotify.Mentions), ("all", MucPushNotify.All),
        ("members_only_all", MucPushNotify.MembersOnlyAll)]);

    public TimeSpan Interval { get; } = s.Seconds("muc_push_interval", 30,
        "Shortest time between two pushes for the same user and room; mentions are always pushed.", min: 0);
}

/// <summary>What both push modules have (muc-push.md §1).</summary>
sealed class PushConfig(Section s)
{
    public bool WithBody { get; } = s.Flag("push_notification_with_body", false,
        "Whether the text of messages goes to the push service. It is somebody else's: mind your users' privacy.");

    public bool WithSender { get; } = s.Flag("push_notification_with_sender", false,
        "Whether the sender's address goes to the push service. Mind your users' privacy.");

    public int MaxErrors { get; } = s.Int("push_max_errors", 16,
        "Errors in a row after which a registration is removed.", min: 1, unit: "errors");

    public string ImportantBody { get; } = s.Text("push_notification_important_body", "New Message!",
        "Text that stands for the body of an important message; \"\" sends none.");

    public int MaxDevices { get; } = s.Int("push_max_devices", 5,
        "Registrations of a user; a further one removes the oldest.", min: 1, unit: "devices");
}
