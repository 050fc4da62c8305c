using System.Collections.Immutable;
using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Versions of the affiliations (XEP-0463): who enters may ask for the list, or for what changed since a version, and
// whoever may read the list is told of every change with the versions before and after it.
public sealed partial class Room
{
    /// <summary>The version of the list, as it stands in the presence with status 110.</summary>
    MucVersion VersionNow => new(null, Affiliations.Name(_affiliations.Version));

    static Actor ActorOf(Occupant occupant) =>
        new(occupant.Representative.Real, occupant.Affiliation, occupant.Role, occupant.Nick);

    /// <summary>Sends what somebody who enters asked for: all affiliations, or what changed since a version.</summary>
    void SendAffiliations(OccupantSession session, string? since, in RoomInput input, List<RoomEffect> effects)
    {
        var reader = ActorOf(session.Occupant);
        if (!MayListAffiliations(reader, Affiliation.Member))
        {
            // XEP-0463 §5.2.3: with the rights of the lists of XEP-0045.
            effects.Add(new RoomEffect.Send(new Message(MessageType.Error, Address, session.Real, MakeId(input),
                (ListDenied with { By = Address }).ToElement())));
            return;
        }
        if (since == VersionNow.Until) return; // XEP-0463 §5.2.1: the self-presence says so
        long? known = Understood(since, reader);
        var changes = _affiliations.All
            .Concat(known is null ? [] : _affiliations.Past)
            .Where(entry => entry.Version > (known ?? 0) && (known is not null || MayListAffiliations(reader, entry)))
            .OrderBy(entry => entry.Version).ToList();
        string? from = known is null ? null : since;
        for (int i = 0; i == 0 || i < changes.Count; i += Policy.ListPageMax)
        {
            // XEP-0463 §5.2.1: of several messages each goes on where the one before ended.
            var part = changes.Skip(i).Take(Policy.ListPageMax).ToList();
            bool isLast = i + Policy.ListPageMax >= changes.Count;
            string until = Affiliations.Name(isLast ? _affiliations.Version : part[^1].Version);
            var x = new Element(Namespaces.MucUser, "x",
            [
                new MucVersion(from, until).ToElement(),
                .. part.Select(entry => new MucItem(Visible(reader, entry), Jid: entry.User).ToElement()),
            ]);
            effects.Add(new RoomEffect.Send(
                new Message(MessageType.Normal, Address, session.Real, MakeId(input), x)));
            from = until;
        }
    }

    /// <summary>The version that a client knows, if all that changed since can be told; null: it gets the whole
    /// list.</summary>
    long? Understood(string? since, in Actor reader)
    {
        if (!long.TryParse(since, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long version))
            return null;
        // Ids of this room are microseconds: what is older belongs to a room that was here before.
        long created = (_createdAt - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        if (version < created || version > _affiliations.Version) return null;
        if (version < _affiliations.OldestKnown(Policy.RemovalsMax)) return null;
        // XEP-0463 §6: nothing of the past is for those who were no part of it. The whole list tells only what is.
        bool wasThere = reader.Affiliation >= Affiliation.Admin
            || _affiliations.Exactly(reader.User.Bare) is { } own && own.Version <= version;
        return wasThere ? version : null;
    }

    bool MayListAffiliations(in Actor reader, AffiliationEntry entry) => MayListAffiliations(reader, entry.Affiliation);

    /// <summary>Of whom a reader may not see that it is an outcast, it learns that it is not on the list.</summary>
    Affiliation Visible(in Actor reader, AffiliationEntry entry) =>
        MayListAffiliations(reader, entry.Affiliation) ? entry.Affiliation : Affiliation.None;

    /// <summary>Tells those inside who may read the list of an entry that changed (XEP-0045 §9.3 to §10.8, XEP-0463
    /// §5.2.2). <c>isSeen</c>: those who see real addresses saw it in a presence.</summary>
    void TellReaders(Jid user, MucVersion version, bool isSeen, string? reason, in RoomInput input,
        List<RoomEffect> effects)
    {
        var all = ImmutableArray.CreateBuilder<Jid>();
        var veiled = ImmutableArray.CreateBuilder<Jid>(); // who may not see outcasts
        var affiliation = Listed(user);
        foreach (var occupant in _occupants.All)
        {
            if (isSeen && (!_options.Anonymous || occupant.Role == Role.Moderator || occupant.User == user)) continue;
            var reader = ActorOf(occupant);
            if (!MayListAffiliations(reader, Affiliation.Member)) continue;
            (MayListAffiliations(reader, affiliation) ? all : veiled).AddRange(SessionsOf(occupant));
        }
        Tell(affiliation, reason, all.ToImmutable(), MakeId(input));
        Tell(Affiliation.None, null, veiled.ToImmutable(), MakeId(input));

        void Tell(Affiliation shown, string? why, ImmutableArray<Jid> readers, string id) => Cast(
            new Message(MessageType.Normal, Address, default, id,
                new MucUser(new MucItem(shown, Jid: user, Reason: why)) { Version = version }.ToElement()),
            readers, effects);
    }
}
