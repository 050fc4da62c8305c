using System.Globalization;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Delivery;

/// <summary>Why something is pushed (muc-push.md §5).</summary>
public enum PushReason
{
    /// <summary>The archive of an account has taken a message for it: for devices that have no session.</summary>
    Archived,
    /// <summary>A message waits for an account of which nobody is there.</summary>
    Offline,
    /// <summary>A room of any server has sent a message to the bare JID of a member who is not inside
    /// (muc-offline-delivery.md §6).</summary>
    BareGroupchat,
    /// <summary>A message waits for the client of one session.</summary>
    Queued,
    /// <summary>Something was said in a room of this server while a member was not inside.</summary>
    Room,
    /// <summary>A room found that an occupant did not get what was said (muc-push.md §7).</summary>
    Ghost,
}

/// <summary>What the configuration says of pushes, for one domain (muc-push.md §1).</summary>
public sealed record PushRules
{
    /// <summary><c>push_notification_with_body</c>.</summary>
    public bool WithBody { get; init; }
    /// <summary><c>push_notification_with_sender</c>.</summary>
    public bool WithSender { get; init; }
    /// <summary><c>push_max_errors</c>.</summary>
    public int ErrorsMax { get; init; } = 16;
    /// <summary><c>push_notification_important_body</c>; "" sends none.</summary>
    public string ImportantBody { get; init; } = "New Message!";
    /// <summary><c>push_max_devices</c>.</summary>
    public int DevicesMax { get; init; } = 5;
    /// <summary><c>push_max_hibernation_timeout</c>; of domains of accounts.</summary>
    public TimeSpan HibernationMax { get; init; } = TimeSpan.FromHours(72);
    /// <summary><c>muc_push_notify</c>; of room services: whether all that is said is pushed in rooms for members
    /// only.</summary>
    public bool AllInMembersOnly { get; init; } = true;
    /// <summary><c>muc_push_notify</c>: whether all that is said is pushed in other rooms, too.</summary>
    public bool AllInOpen { get; init; }
    /// <summary><c>muc_push_interval</c>: the shortest time between pushes of one room to one user.</summary>
    public TimeSpan RoomInterval { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>What a user hides from push services, though the configuration lets it out.</summary>
/// <param name="HidesBody">The text of messages.</param>
/// <param name="HidesSender">Who wrote.</param>
public readonly record struct PushPrivacy(bool HidesBody, bool HidesSender);

/// <summary>What waits for a client and deserves a push.</summary>
/// <param name="Message">The message, unwrapped.</param>
/// <param name="IsImportant">Whether a person would want to know.</param>
/// <param name="Keys">Names of the messages that it stands for, as far as they have any.</param>
/// <param name="Count">How many messages these are.</param>
public readonly record struct PushPick(Message Message, bool IsImportant, IReadOnlyList<string> Keys, int Count = 1)
{
    /// <summary>One message alone.</summary>
    public static PushPick Of(Message message, Jid account) => new(
        message, PushContent.IsImportant(message),
        PushContent.KeyOf(message, account) is { } key ? [key] : []);
}

/// <summary>How a push service answered.</summary>
public enum PushAnswer
{
    /// <summary>It took the push.</summary>
    Taken,
    /// <summary>It asks to try again later.</summary>
    Wait,
    /// <summary>It refused.</summary>
    Refused,
    /// <summary>It does not know the user or the node any more.</summary>
    Unknown,
    /// <summary>It did not answer, or its server cannot be reached.</summary>
    Silent,
}

/// <summary>What is known of how a push service does.</summary>
/// <param name="Errors">Errors in a row.</param>
/// <param name="LastErrorAt">When the last one was counted.</param>
/// <param name="LastSuccessAt">When a push was last taken; before the first, when it was registered.</param>
public readonly record struct PushHealth(int Errors, DateTimeOffset? LastErrorAt, DateTimeOffset LastSuccessAt);

/// <summary>Whom to push, when, and how much text. Pure decisions; effects are in Features/Push.</summary>
public static class PushPolicy
{
    /// <summary>Text that goes to a push service: those of the vendors take four kilobytes in all.</summary>
    public const int BodyCharsMax = 1000;
    /// <summary>Pushes for what waits for one client at one moment.</summary>
    public const int PicksMax = 5;
    /// <summary>Errors in a row from a service that does not know the user any more (muc-push.md §4).</summary>
    public const int UnknownMax = 3;
    static readonly TimeSpan SilencePeriod = TimeSpan.FromHours(1), SilenceMax = TimeSpan.FromHours(24);

    /// <summary>The condition of errors that a server makes itself, for others that it cannot reach.</summary>
    public static PushAnswer Classify(StanzaError error) => error switch
    {
        // A server that cannot be reached may come back (muc-push.md §4 [D]).
        { Condition: "remote-server-not-found" or "remote-server-timeout" } => PushAnswer.Silent,
        { Type: StanzaErrorType.Wait } => PushAnswer.Wait,
        { Condition: "item-not-found" or "gone" or "not-authorized" } => PushAnswer.Unknown,
        _ => PushAnswer.Refused,
    };

    /// <summary>Counts an answer.</summary>
    /// <param name="health">What was known.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="now">The time.</param>
    /// <param name="errorsMax"><see cref="PushRules.ErrorsMax"/>.</param>
    /// <returns>What is known now, and whether the registration is to be removed.</returns>
    public static (PushHealth Health, bool IsOver) After(
        PushHealth health, PushAnswer answer, DateTimeOffset now, int errorsMax)
    {
        switch (answer)
        {
            case PushAnswer.Taken:
                return (new(0, null, now), false);
            case PushAnswer.Wait:
                return (health, false);
            case PushAnswer.Silent when now - health.LastErrorAt < SilencePeriod:
                return (health, false);
        }
        var after = health with { Errors = health.Errors + 1, LastErrorAt = now };
        bool isOver = answer switch
        {
            PushAnswer.Unknown => after.Errors >= Math.Min(UnknownMax, errorsMax),
            PushAnswer.Silent => after.Errors >= errorsMax && now - health.LastSuccessAt >= SilenceMax,
            _ => after.Errors >= errorsMax,
        };
        return (after, isOver);
    }

    /// <summary>What a push service is told of a message.</summary>
    public static PushSummary Summarise(
        in PushPick pick, PushRules rules, PushPrivacy privacy, bool wantsPriority)
    {
        bool tellsSender = rules.WithSender && !privacy.HidesSender;
        string? body = rules.WithBody && !privacy.HidesBody && pick.Message.Body is { Length: > 0 } text
            ? Cut(text)
            : pick.IsImportant && rules.ImportantBody.Length > 0 ? rules.ImportantBody : null;
        return new PushSummary
        {
            Count = pick.Count,
            Sender = tellsSender ? pick.Message.From : Jid.None,
            Body = body,
            IsUrgent = wantsPriority ? pick.IsImportant : null,
            Nick = tellsSender && pick.Message is { Type: MessageType.Groupchat, From.IsFull: true }
                ? pick.Message.From.Resource.ToString() : null,
        };
    }

    /// <summary>Chooses among what waits for a client: of each conversation the newest important message, and, where
    /// there is none at all, the newest of the others. So a device is woken once for each, however much was
    /// written.</summary>
    /// <param name="waiting">What waits, oldest first.</param>
    /// <param name="account">The user.</param>
    /// <param name="isPushed">Whether the message of a name has been pushed already.</param>
    /// <param name="isPreferred">Whether a message stands for its conversation though newer ones follow: a
    /// mention.</param>
    /// <param name="since">What was queued up to then has been pushed for; null: names alone count.</param>
    public static List<PushPick> Choose(IEnumerable<SmEntry> waiting, Jid account, Predicate<string> isPushed,
        Predicate<Message> isPreferred, DateTimeOffset? since = null)
    {
        var important = new List<PushPick>();
        PushPick? other = null;
        foreach (var entry in waiting)
        {
            if (entry.QueuedAt <= since || PushContent.Read(entry.Stanza.Stanza, account) is not { } message
                || message.From.SameBare(account)) continue;
            string key = PushContent.KeyOf(message, account)
                ?? string.Create(CultureInfo.InvariantCulture, $"{message.From}\n@{entry.QueuedAt.UtcTicks}");
            if (isPushed(key)) continue;
            if (!PushContent.IsImportant(message))
            {
                other = new(message, false, [key]);
                continue;
            }
            int at = important.FindIndex(pick => pick.Message.From.SameBare(message.From));
            IReadOnlyList<string> keys = at < 0 ? [key] : [.. important[at].Keys, key];
            if (at >= 0)
            {
                var before = important[at].Message;
                if (isPreferred(before) && !isPreferred(message)) message = before;
                important.RemoveAt(at);
            }
            important.Add(new(message, true, keys, keys.Count));
        }
        if (important.Count > PicksMax) important.RemoveRange(0, important.Count - PicksMax);
        if (important.Count == 0 && other is { } rest) important.Add(rest);
        return important;
    }

    /// <summary>Whether a push ends the long wait of a session for its client: from now on it has the usual time to
    /// come back (muc-push.md §5).</summary>
    public static bool EndsLongWait(in PushPick pick, PushRules rules) =>
        pick.IsImportant || rules.ImportantBody.Length == 0;

    static string Cut(string text)
    {
        if (text.Length <= BodyCharsMax) return text;
        return text[..(char.IsHighSurrogate(text[BodyCharsMax - 1]) ? BodyCharsMax - 1 : BodyCharsMax)];
    }
}
