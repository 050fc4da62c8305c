using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Rooms;

/// <summary>
/// Plays users of one room and keeps what each of them receives. Stanzas are compared as short lines, see
/// <see cref="Line"/>, so that a test reads like the conversation it describes.
/// </summary>
sealed class RoomDriver
{
    public const string Address = "garden@muc.x";
    static readonly byte[] Secret = [.. Enumerable.Range(0, Room.SecretBytes).Select(i => (byte)i)];

    readonly Dictionary<Jid, List<Stanza>> _inboxes = [];
    readonly Dictionary<Jid, SenderFacts> _facts = [];
    long _lastId = 1000;
    int _lastStanza;
    DateTimeOffset? _wake;

    RoomDriver(Room room) => Room = room;

    public Room Room { get; private set; }
    public DateTimeOffset Now { get; set; } = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
    /// <summary>Effects of the last input.</summary>
    public List<RoomEffect> Effects { get; } = [];
    /// <summary>Everything archived so far.</summary>
    public List<RoomEffect.Archive> Archived { get; } = [];

    /// <summary>No room yet: the first who enters makes it.</summary>
    public static RoomDriver Nonexistent(RoomOptions? defaults = null, RoomPolicy? policy = null,
        params AffiliationEntry[] affiliations) =>
        new(Room.Create(Jid.Parse(Address), defaults ?? new(), policy ?? new(), Secret, default, affiliations));

    /// <summary>A stored room with nobody in it. Affiliations as "owner romeo@x" or "member julia@x as Jule".</summary>
    public static RoomDriver Stored(RoomOptions? options = null, RoomPolicy? policy = null,
        params string[] affiliations) =>
        new(Room.Restore(new RoomSnapshot
        {
            Address = Jid.Parse(Address),
            Options = (options ?? new()) with { Persistent = true },
            Secret = [.. Secret],
            CreatedAt = default,
            Affiliations = [.. affiliations.Select(Entry)],
        }, policy ?? new()));

    static AffiliationEntry Entry(string text)
    {
        var words = text.Split(' ');
        Assert.True(MucNames.TryAffiliation(words[0], out var affiliation));
        return new(Jid.Parse(words[1]), affiliation) { Nick = words.Length > 3 ? words[3] : null };
    }

    /// <summary>What the service says of a user from now on.</summary>
    public void Facts(string user, SenderFacts facts) => _facts[Jid.Parse(user)] = facts;

    /// <summary>Stops the room and loads it from what storage would have.</summary>
    public void Restart(IEnumerable<HistoryEntry>? history = null) =>
        Room = Room.Restore(Room.Snapshot(), Room.Policy, history);

    /// <summary>Stops the room with its process, in order, and takes back who was inside.</summary>
    /// <param name="withHistory">With what it keeps for those who enter.</param>
    public void Resume(bool withHistory = false)
    {
        Happen(new RoomEvent.Suspend());
        var inside = Effects.OfType<RoomEffect.Suspended>().Single().Occupants;
        Restart(withHistory ? Archived.Select(a => new HistoryEntry(a.Id, a.At, a.Stanza)).ToArray() : null);
        Room.TakeBack(inside, Now);
        Happen(new RoomEvent.Tick());
    }

    // ---- What users do ----

    public void Join(string user, string nick, string? password = null, MucHistoryRequest? history = null,
        params Element[] more) =>
        Send(new Presence(PresenceType.Available, Jid.Parse(user), At(nick), NextId(), [new MucJoin(password,
            history).ToElement(), .. more]));

    /// <summary>Lets several users enter and forgets what they received.</summary>
    public void Inside(params (string User, string Nick)[] users)
    {
        foreach (var (user, nick) in users)
        {
            Join(user, nick);
            Assert.Contains(Jid.Parse(user), Room.Sessions);
        }
        Forget();
    }

    public void Presence(string user, string nick, PresenceType type = PresenceType.Available,
        params Element[] content) =>
        Send(new Presence(type, Jid.Parse(user), At(nick), NextId(), content));

    public void Leave(string user, string nick, string? status = null) => Presence(user, nick, PresenceType.Unavailable,
        status is null ? [] : [new Element(Namespaces.Client, "status", status)]);

    public void Say(string user, string text, params Element[] more) =>
        Message(user, "", MessageType.Groupchat, [new Element(Namespaces.Client, "body", text), .. more]);

    public void Subject(string user, string text) =>
        Message(user, "", MessageType.Groupchat, new Element(Namespaces.Client, "subject", text));

    public void Whisper(string user, string nick, string text, MessageType type = MessageType.Chat) =>
        Message(user, nick, type, new Element(Namespaces.Client, "body", text));

    public void Message(string user, string nick, MessageType type, params Element[] content) =>
        Send(new Message(type, Jid.Parse(user), At(nick), NextId(), content));

    public void Get(string user, Element payload, string nick = "") => Send(new Iq(IqType.Get, Jid.Parse(user),
        At(nick), NextId(), payload));
    public void Set(string user, Element payload, string nick = "") => Send(new Iq(IqType.Set, Jid.Parse(user),
        At(nick), NextId(), payload));

    /// <summary>A request of muc#admin with items.</summary>
    public void Admin(string user, params MucItem[] items) =>
        Set(user, new Element(Namespaces.MucAdmin, "query", items.Select(item => item.ToElement(Namespaces.MucAdmin))));

    public void Kick(string user, string nick, string? reason = null) =>
        Admin(user, new MucItem(Role: Role.None, Nick: nick, Reason: reason));
    public void Role_(string user, string nick, Role role) => Admin(user, new MucItem(Role: role, Nick: nick));
    public void Affiliate(string user, string other, Affiliation affiliation, string? reason = null) =>
        Admin(user, new MucItem(affiliation, Jid: Jid.Parse(other), Reason: reason));

    /// <summary>Submits the owner's form with the given fields: <c>("muc#roomconfig_moderatedroom", "1")</c>.</summary>
    public void Configure(string user, params (string Var, string Value)[] fields) =>
        Set(user, new Element(Namespaces.MucOwner, "query", Form("submit", fields)));

    public static Element Form(string type, params (string Var, string Value)[] fields) =>
        new Element(Namespaces.DataForms, "x", fields.GroupBy(field => field.Var).Select(group =>
            new Element(Namespaces.DataForms, "field", group.Select(field => new Element(Namespaces.DataForms,
                "value", field.Value)))
                .With("var", group.Key))).With("type", type);

    public void Bounce(string user, string nick, string condition, string? id = null) =>
        Send(new Message(MessageType.Error, Jid.Parse(user), At(nick), id ?? NextId(),
            new StanzaError(StanzaErrorType.Cancel, condition, "host a.example is down").ToElement()));

    /// <summary>Lets time pass; the host wakes the room whenever it asked for it.</summary>
    public void Pass(double seconds)
    {
        var end = Now.AddSeconds(seconds);
        while (_wake is { } at && at <= end)
        {
            _wake = null;
            if (at > Now) Now = at;
            Happen(new RoomEvent.Tick());
        }
        Now = end;
    }

    public void Send(Stanza stanza) => Handle(new RoomInput(stanza, Now, ++_lastId, FactsOf(stanza.From)));
    public void Happen(RoomEvent @event) => Handle(new RoomInput(@event, Now, ++_lastId));

    SenderFacts FactsOf(Jid user) => _facts.TryGetValue(user.Bare, out var facts) ? facts
        : new SenderFacts { IsLocal = true, MayCreate = true, MayPersist = true, MayLog = true };

    public static Jid At(string nick) => Jid.Parse(nick.Length == 0 ? Address : $"{Address}/{nick}");
    string NextId() => $"s{++_lastStanza}";

    // ---- What the host does ----

    void Handle(in RoomInput input)
    {
        Effects.Clear();
        Room.Handle(input, Effects);
        foreach (var effect in Effects)
        {
            switch (effect)
            {
                case RoomEffect.Archive archive: Archived.Add(archive); break;
                case RoomEffect.WakeAt wake: _wake = wake.At; break;
                case RoomEffect.Forward forward:
                    foreach (var user in forward.Users) Deliver(forward.Stanza, user);
                    break;
                case RoomEffect.Refuse refuse: Deliver(refuse.Answer, refuse.Cause.From); break;
                case RoomEffect.Send send: Deliver(send.Stanza, send.To); break;
                case RoomEffect.Broadcast broadcast:
                    foreach (var session in broadcast.Sessions) Deliver(broadcast.Stanza, session);
                    break;
            }
        }
    }

    void Deliver(Stanza stanza, Jid to)
    {
        Assert.False(to.IsNone);
        var id =
            stanza.Elements.FirstOrDefault(e => e.Is(Namespaces.StanzaIds, "stanza-id")
                && e.Attribute("by") == Address);
        if (id is not null && Room.Options.Archiving)
            Assert.Contains(Archived, archive => archive.Id.ToString() == id.Attribute("id")); // archived before seen
        if (!_inboxes.TryGetValue(to, out var inbox)) _inboxes[to] = inbox = [];
        inbox.Add(stanza.Readdressed(stanza.From, to));
    }

    // ---- What users see ----

    /// <summary>What a user received since it was last asked, one line a stanza.</summary>
    public string[] Received(string user) => [.. Stanzas(user).Select(Line)];

    /// <summary>What a user received since it was last asked.</summary>
    public List<Stanza> Stanzas(string user)
    {
        _inboxes.Remove(Jid.Parse(user), out var inbox);
        return inbox ?? [];
    }

    /// <summary>Forgets everything received so far.</summary>
    public void Forget() => _inboxes.Clear();

    /// <summary>Whoever received anything, and what.</summary>
    public bool IsQuiet => _inboxes.Count == 0;

    /// <summary>
    /// A stanza on one line: kind, nick, then what matters. "presence Jule member/participant jid=julia@x/b 110",
    /// "presence Jule unavailable none/none 307 by=Romeo 'go'", "groupchat Jule 'hello'", "error presence conflict".
    /// </summary>
    public static string Line(Stanza stanza)
    {
        var words = new List<string>();
        string sender =
            stanza.From.SameBare(Jid.Parse(Address)) ? stanza.From.Resource.ToString() : stanza.From.ToString();
        if (stanza.Error is { } error) return string.Join(' ', new[] { "error", stanza.Name, sender,
            error.Condition }.Where(w => w.Length > 0));
        words.Add(stanza is Message m ? m.TypeName ?? "normal" : stanza is Iq iq ? iq.TypeName! : "presence");
        words.Add(sender);
        if (stanza is Presence { Type: not PresenceType.Available } presence) words.Add(presence.TypeName!);
        if (stanza.Child(Namespaces.MucUser, "x") is { } x) words.Add(Describe(MucUser.Read(x, out _)!));
        if (stanza.Child("body") is { } body) words.Add($"'{body.Text}'");
        if (stanza.Child("subject") is { } subject) words.Add($"subject='{subject.Text}'");
        if (stanza.Child("status") is { } status) words.Add($"status='{status.Text}'");
        if (stanza.Child("show") is { } show) words.Add($"show={show.Text}");
        if (stanza.Child(Namespaces.Delay, "delay") is not null) words.Add("delayed");
        return string.Join(' ', words.Where(word => word.Length > 0));
    }

    static string Describe(MucUser user)
    {
        var words = new List<string>();
        if (user.Item is { } item)
        {
            words.Add(item.Role is { } role
                ? $"{item.Affiliation?.ToName()}/{role.ToName()}" : item.Affiliation?.ToName() ?? "");
            if (!item.Jid.IsNone) words.Add($"jid={item.Jid}");
            if (item.Nick is not null) words.Add($"nick={item.Nick}");
            if (item.Actor is { } actor) words.Add(actor.Jid.IsNone
                ? $"by={actor.Nick}" : $"by={actor.Nick}({actor.Jid})");
            if (item.Reason is not null) words.Add($"'{item.Reason}'");
        }
        if (user.Destroy is { } destroy) words.Add($"destroyed alternate={destroy.Alternate} '{destroy.Reason}'");
        foreach (var invite in user.Invites) words.Add($"invited from={invite.From} '{invite.Reason}'");
        if (user.Decline is { } decline) words.Add($"declined from={decline.From} '{decline.Reason}'");
        words.AddRange(user.Statuses.Select(code => code.ToString()));
        return string.Join(' ', words);
    }
}
