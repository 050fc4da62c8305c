using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Storage;

namespace Muster.Server.Rooms;

/// <summary>Turns what a room promises into what a store keeps, and back.</summary>
static class RoomRecords
{
    /// <summary>The one commit that a batch of effects asks for; null when nothing is to be kept.</summary>
    /// <param name="room">The room.</param>
    /// <param name="effects">All effects of the batch.</param>
    /// <param name="serialise">Gives a stanza's bytes; the host keeps them for the broadcast that follows.</param>
    /// <param name="now">The time of the commit.</param>
    /// <param name="tombstoneTime">How long the address of a destroyed room is kept from being used again.</param>
    public static RoomCommit? ToCommit(Jid room, IReadOnlyList<RoomEffect> effects,
        Func<Stanza, SharedStanza> serialise, DateTimeOffset now, TimeSpan tombstoneTime)
    {
        RoomCommit? commit = null;
        List<ArchiveEntry>? archive = null;
        Dictionary<Jid, StoredAffiliation>? set = null;
        HashSet<Jid>? removed = null;
        foreach (var effect in effects)
        {
            if (effect is not (RoomEffect.Archive or RoomEffect.Retract or RoomEffect.Persist or RoomEffect.Destroyed))
            {
                continue;
            }
            commit ??= new() { Room = room };
            switch (effect)
            {
                case RoomEffect.Archive a:
                    (archive ??= []).Add(
                        new(room, a.Id, a.At, a.Sender, a.Sender.Bare, ToKind(a.Kind), ToBytes(serialise(a.Stanza))));
                    break;
                case RoomEffect.Retract r:
                    commit = commit with
                    {
                        Replaced = [.. commit.Replaced,
                            new(r.Id, ArchiveKind.Tombstone, ToBytes(serialise(r.Tombstone)))],
                    };
                    break;
                case RoomEffect.Destroyed d:
                    var tombstone = new RoomTombstone(room, d.Alternate, d.Reason ?? "", now + tombstoneTime);
                    commit = commit with { Removal = new(RemoveArchive: true, tombstone) };
                    break;
                case RoomEffect.Persist { Change: RoomChange.Created c }:
                    commit = Created(commit, c.Snapshot, now);
                    foreach (var entry in c.Snapshot.Affiliations.Concat(c.Snapshot.Past))
                        (set ??= [])[entry.User] = ToStored(entry);
                    break;
                case RoomEffect.Persist { Change: RoomChange.Configured c }:
                    commit = commit with { Options = ToStored(c.Options, c.Profile) };
                    break;
                case RoomEffect.Persist { Change: RoomChange.SubjectSet s }:
                    commit = commit with { Subject = ToStored(s.Subject, now) };
                    break;
                case RoomEffect.Persist { Change: RoomChange.AffiliationSet a }:
                    (set ??= [])[a.Entry.User] = ToStored(a.Entry);
                    removed?.Remove(a.Entry.User);
                    break;
                case RoomEffect.Persist { Change: RoomChange.AffiliationRemoved a }:
                    (removed ??= []).Add(a.User);
                    set?.Remove(a.User);
                    break;
                case RoomEffect.Persist { Change: RoomChange.Deleted }:
                    // A room that only became temporary keeps its messages while it lives.
                    commit = commit with { Removal = commit.Removal ?? new(RemoveArchive: false, Tombstone: null) };
                    break;
            }
        }
        return commit is null ? null : commit with
        {
            Archive = archive ?? [],
            AffiliationsSet = set is null ? [] : [.. set.Values],
            AffiliationsRemoved = removed is null ? [] : [.. removed],
        };
    }

    /// <summary>A stored room as the room itself knows it.</summary>
    public static RoomSnapshot ToSnapshot(StoredRoom stored)
    {
        var values = ReadJson(stored.Options.Json);
        return new()
        {
            Address = stored.Jid,
            Options = RoomOptions.FromText(values),
            Profile = RoomProfile.FromText(values),
            Secret = [.. stored.OccupantIdSalt.Span],
            CreatedAt = stored.CreatedAt,
            Subject = stored.Subject is { } s ? new(s.Text, s.Author, s.At) : RoomSubject.NeverSet,
            Affiliations = [.. stored.Affiliations.Where(entry => entry.Affiliation != 0).Select(ToEntry)],
            Past = [.. stored.Affiliations.Where(entry => entry.Affiliation == 0).Select(ToEntry)],
        };
    }

    /// <summary>An archived message as the room's history keeps it; null when it cannot be read.</summary>
    public static HistoryEntry? ToHistory(ArchiveEntry entry) =>
        ToMessage(entry) is { } message ? new(entry.Id, entry.At, message) : null;

    /// <summary>The message of an archive entry; null when it cannot be read.</summary>
    public static Message? ToMessage(ArchiveEntry entry)
    {
        var reader = new StanzaReader(XmlLimits.Unbounded, StanzaReaderMode.Document);
        var input = new ReadOnlySequence<byte>(entry.Stanza);
        return reader.TryRead(input, out _, out var item) && item.Element is { } element
            ? Stanza.Read(element, out _) as Message
            : null;
    }

    static RoomCommit Created(RoomCommit commit, RoomSnapshot snapshot, DateTimeOffset now) => commit with
    {
        Creation = new(snapshot.Secret.AsMemory(), snapshot.CreatedAt),
        Options = ToStored(snapshot.Options, snapshot.Profile),
        Subject = snapshot.Subject.At is null ? null : ToStored(snapshot.Subject, now),
        LastActivityAt = now,
        // Made temporary and persistent again within one batch: what counts is the end.
        Removal = null,
    };

    static StoredSubject ToStored(RoomSubject subject, DateTimeOffset now) =>
        new(subject.Text, subject.Nick, subject.At ?? now);

    static StoredAffiliation ToStored(AffiliationEntry entry) => new()
    {
        Jid = entry.User,
        Affiliation = (int)entry.Affiliation,
        Nick = entry.Nick,
        Reason = entry.Reason,
        OfflineDelivery = entry.OfflineDelivery,
        Registration = entry.Request is { } request ? ToJson(request) : entry.SelfRegistered ? SelfRegistered : null,
        Version = entry.Version,
    };

    const string SelfRegistered = "self";

    static AffiliationEntry ToEntry(StoredAffiliation stored) => new(stored.Jid, (Affiliation)stored.Affiliation)
    {
        Nick = stored.Nick,
        Reason = stored.Reason,
        OfflineDelivery = stored.OfflineDelivery,
        SelfRegistered = stored.Registration == SelfRegistered,
        Request = stored.Registration is ['{', ..] json ? ToRequest(json) : null,
        Version = stored.Version,
    };

    static string ToJson(RegistrationRequest request) => JsonSerializer.Serialize(request);

    // What cannot be read has to be asked again; the room must not fail over it.
    static RegistrationRequest? ToRequest(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<RegistrationRequest>(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static StoredRoomOptions ToStored(RoomOptions options, RoomProfile profile)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var (name, values) in options.ToText().Concat(profile.ToText()))
            {
                writer.WriteStartArray(name);
                foreach (string value in values) writer.WriteStringValue(value);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
        return new(System.Text.Encoding.UTF8.GetString(json.WrittenSpan), options.Title, options.Public,
            options.Persistent);
    }

    static List<KeyValuePair<string, ImmutableArray<string>>> ReadJson(string json)
    {
        using var document = JsonDocument.Parse(json);
        bool isOurs = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.EnumerateObject()
            .All(property => property.Value.ValueKind == JsonValueKind.Array && property.Value.EnumerateArray()
                .All(text => text.ValueKind == JsonValueKind.String));
        if (!isOurs) throw new FormatException("the stored options of a room are an object of arrays of texts");
        return [.. document.RootElement.EnumerateObject().Select(property => KeyValuePair.Create(
            property.Name, property.Value.EnumerateArray().Select(value => value.GetString() ?? "")
                .ToImmutableArray()))];
    }

    static ArchiveKind ToKind(RoomMessageKind kind) => kind switch
    {
        RoomMessageKind.Message => ArchiveKind.Message,
        RoomMessageKind.Subject => ArchiveKind.Subject,
        _ => ArchiveKind.Other,
    };

    static byte[] ToBytes(SharedStanza stanza) => stanza.ToDocument(Jid.None);
}
