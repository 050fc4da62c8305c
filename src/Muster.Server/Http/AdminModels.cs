using System.Text.Json;
using System.Text.Json.Serialization;

namespace Muster.Server.Http;

// The shapes of the admin API: what the command line prints with --json, and what scripts rely on. Times are UTC.

/// <summary>A refusal: what is wrong, for a person to read.</summary>
sealed record AdminProblem(string Error);

/// <summary>The server at a glance.</summary>
sealed record StatusView(
    string Version, DateTimeOffset StartedAt, string[] Hosts, string[] RoomServices, string Addresses, string Storage,
    bool StorageWorking, string StorageText, long StorageBytes, int Sessions, int RoomsInMemory, long MemoryBytes,
    double CpuSeconds);

/// <summary>An account.</summary>
sealed record UserView(string Jid, DateTimeOffset CreatedAt, DateTimeOffset? LastActiveAt, bool Disabled, int Sessions);

/// <summary>One page of accounts; <paramref name="Next"/> is what to ask for next, or null at the end.</summary>
sealed record UserPage(UserView[] Users, string? Next);

/// <summary>An account to make. Without a password the server chooses one, which the answer then holds.</summary>
sealed record UserCreation(string Jid, string? Password = null);

/// <summary>An account that was made.</summary>
sealed record UserCreated(string Jid, string? Password);

/// <summary>A new password.</summary>
sealed record PasswordChange(string Password);

/// <summary>A session.</summary>
sealed record SessionView(string Jid, string Connection, bool Available, int Priority, string? Show, string? Status);

/// <summary>One page of sessions; <paramref name="Next"/> is what to ask for next, or null at the end.</summary>
sealed record SessionPage(SessionView[] Sessions, string? Next);

/// <summary>How many sessions were ended.</summary>
sealed record SessionsEnded(int Ended);

/// <summary>How many tokens were taken back.</summary>
sealed record TokensRevoked(int Revoked);

/// <summary>Whom to invite: a domain (the guest chooses the name), the name of an account to make, or an account (the
/// guest becomes its contact, with a new account if need be). The inviter, when there is one, becomes a contact of the
/// new account.</summary>
sealed record InviteRequest(string Jid, string? Inviter = null);

/// <summary>An invitation by link.</summary>
/// <param name="Kind">"account": for making an account; "contact": for becoming a contact.</param>
/// <param name="Jid">The domain, the account to make, or the contact.</param>
/// <param name="Uri">The link (XEP-0401 §6).</param>
/// <param name="Page">Address of a page that explains it; null where there is none.</param>
/// <param name="ExpiresAt">From when it is no longer good.</param>
sealed record InviteView(string Kind, string Jid, string Uri, string? Page, DateTimeOffset ExpiresAt);

/// <summary>A room in the list.</summary>
sealed record RoomLineView(string Jid, string Title, bool Public, bool Persistent, bool InMemory, int Occupants);

/// <summary>One page of rooms; <paramref name="Next"/> is what to ask for next, or null at the end.</summary>
sealed record RoomPage(RoomLineView[] Rooms, string? Next);

/// <summary>A room in full. Options by their names in the configuration file; the password is left out.</summary>
sealed record RoomView(
    string Jid, bool Persistent, bool Locked, string Subject, string SubjectAuthor, DateTimeOffset? SubjectAt,
    DateTimeOffset CreatedAt, Dictionary<string, JsonElement> Options, int Affiliations, OccupantView[] Occupants);

/// <summary>The options of a room by their names in the configuration file.</summary>
sealed record RoomOptionsView(string Jid, Dictionary<string, JsonElement> Options);

/// <summary>An affiliation; <paramref name="Nick"/> is the one reserved in the room.</summary>
sealed record AffiliationView(string Jid, string Affiliation, string? Nick, string? Reason);

/// <summary>The affiliations of a room.</summary>
sealed record AffiliationList(AffiliationView[] Affiliations);

/// <summary>A session inside a room.</summary>
sealed record OccupantView(string Nick, string Jid, string Role, string Affiliation);

/// <summary>A room to make, of which an account becomes the owner. Options that are not given are those of
/// <c>default_room</c>; the room is persistent.</summary>
sealed record RoomCreation(string Jid, string Owner, Dictionary<string, JsonElement>? Options = null);

/// <summary>An affiliation to give; "none" takes it away.</summary>
sealed record AffiliationChange(string Affiliation, string? Reason = null);

/// <summary>Something to say to everybody inside: as the room, or <paramref name="From"/> a session that is
/// inside.</summary>
sealed record RoomSpeech(string Body, string? From = null);

/// <summary>Something to say to one who is inside, from a session that is inside.</summary>
sealed record PrivateSpeech(string From, string Body);

/// <summary>A role to give to somebody who is inside; "none" sends out.</summary>
sealed record RoleChange(string Role, string? Reason = null);

/// <summary>A session that is to enter, and under which nick.</summary>
sealed record RoomEntrance(string Session, string Nick, string? Password = null);

/// <summary>An invitation that one user sends to another (XEP-0249).</summary>
sealed record RoomInvitation(string From, string To, string? Reason = null);

/// <summary>A room to make, as MongooseIM's API before 6.5 took it.</summary>
sealed record MucCreation(string Name, string Owner, string? Nick = null);

/// <summary>An invitation, as MongooseIM's API before 6.5 took it.</summary>
sealed record MucInvitation(string Sender, string Recipient, string? Reason = null);

/// <summary>A message from somebody inside, as MongooseIM's API before 6.5 took it.</summary>
sealed record MucMessage(string From, string Body);

/// <summary>An archived message. <paramref name="From"/> is the nick ("" for the room), <paramref name="Sender"/> the
/// real address; a message that was taken back has neither body nor subject.</summary>
sealed record MessageView(
    string Id, DateTimeOffset At, string From, string Sender, string? Body, string? Subject, bool Retracted);

/// <summary>A page of a room's messages, oldest first. <paramref name="Next"/> is what to ask for next with the same
/// parameter, <c>before</c> or <c>after</c>; null at the end.</summary>
sealed record MessagePage(MessageView[] Messages, string? Next);

/// <summary>Where a backup goes: a file that does not exist yet, on the server's machine.</summary>
sealed record BackupRequest(string Path);

/// <summary>A backup that was written.</summary>
sealed record BackupView(string Path, long Bytes);

/// <summary>What a reload of the configuration changed at once, and what waits for a restart.</summary>
sealed record ReloadView(string[] Applied, string[] NeedRestart, string[] Warnings);

/// <summary>An external component's domain.</summary>
/// <param name="Domain">The domain.</param>
/// <param name="Host">The domain of accounts in whose list of services it stands.</param>
/// <param name="Connection">Its connection, as logs name it; null while it is not connected.</param>
/// <param name="Address">Where it connects from.</param>
/// <param name="ConnectedAt">Since when.</param>
/// <param name="Received">Stanzas that came from it, since the server started.</param>
/// <param name="Sent">Stanzas that went to it.</param>
/// <param name="Bounced">Stanzas for it that came back.</param>
sealed record ComponentView(
    string Domain, string Host, string? Connection, string? Address, DateTimeOffset? ConnectedAt, long Received,
    long Sent, long Bounced);

/// <summary>All of them.</summary>
sealed record ComponentList(ComponentView[] Components);

/// <summary>A specification that the server implements.</summary>
sealed record FeatureView(string Specification, string Name, string Version, string Support, string Note);

/// <summary>All of them.</summary>
sealed record FeatureList(FeatureView[] Features);

/// <summary>Reading and writing those shapes without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AdminProblem))]
[JsonSerializable(typeof(StatusView))]
[JsonSerializable(typeof(UserView))]
[JsonSerializable(typeof(UserPage))]
[JsonSerializable(typeof(UserCreation))]
[JsonSerializable(typeof(UserCreated))]
[JsonSerializable(typeof(PasswordChange))]
[JsonSerializable(typeof(SessionPage))]
[JsonSerializable(typeof(SessionsEnded))]
[JsonSerializable(typeof(TokensRevoked))]
[JsonSerializable(typeof(InviteRequest))]
[JsonSerializable(typeof(InviteView))]
[JsonSerializable(typeof(RoomPage))]
[JsonSerializable(typeof(RoomView))]
[JsonSerializable(typeof(RoomOptionsView))]
[JsonSerializable(typeof(AffiliationList))]
[JsonSerializable(typeof(RoomCreation))]
[JsonSerializable(typeof(AffiliationChange))]
[JsonSerializable(typeof(RoomSpeech))]
[JsonSerializable(typeof(PrivateSpeech))]
[JsonSerializable(typeof(RoleChange))]
[JsonSerializable(typeof(RoomEntrance))]
[JsonSerializable(typeof(RoomInvitation))]
[JsonSerializable(typeof(MucCreation))]
[JsonSerializable(typeof(MucInvitation))]
[JsonSerializable(typeof(MucMessage))]
[JsonSerializable(typeof(MessagePage))]
[JsonSerializable(typeof(BackupRequest))]
[JsonSerializable(typeof(BackupView))]
[JsonSerializable(typeof(ReloadView))]
[JsonSerializable(typeof(FeatureList))]
[JsonSerializable(typeof(ComponentList))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(string[]))]
sealed partial class AdminJson : JsonSerializerContext;
