using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Hats (XEP-0317): titles that owners give to users by ad-hoc commands, and that the room shows in their presence.
public sealed partial class Room
{
    const string HatsNamespace = "urn:xmpp:hats:0";
    const string HatsFormType = "urn:xmpp:hats:commands";
    const string CommandsNamespace = "http://jabber.org/protocol/commands";
    const string TitleVar = "hats#title", UriVar = "hats#uri", HueVar = "hats#hue", JidVar = "hats#jid";
    const int HatsMax = 100, WearersMax = 1000, HatTextMax = 1024;

    static readonly StanzaError HatsDenied = StanzaError.Forbidden.WithText("Only owners can manage hats");
    static readonly StanzaError NoSuchHat = StanzaError.ItemNotFound.WithText("There is no such hat");
    static readonly StanzaError TooManyHats = StanzaError.ResourceConstraint.WithText("There are too many hats");

    // XEP-0050 §2.2: the commands by node, with their names for people.
    static readonly ImmutableArray<(string Node, string Name)> HatCommands =
    [
        (HatsFormType + ":create", "Create or change a hat"),
        (HatsFormType + ":destroy", "Destroy a hat"),
        (HatsFormType + ":list", "List hats"),
        (HatsFormType + ":assign", "Give a hat to a user"),
        (HatsFormType + ":unassign", "Take a hat from a user"),
        (HatsFormType + ":list-assigned", "List who wears hats"),
    ];

    /// <summary>The hats of an occupant as they stand in its presence, or null.</summary>
    Element? HatsOf(Occupant occupant)
    {
        if (_profile.Hats.IsEmpty) return null;
        var worn = _profile.Hats.Where(hat => hat.Wearers.Contains(occupant.User)).Select(hat =>
            new Element(HatsNamespace, "hat").With("title", hat.Title).With("uri", hat.Uri).With("hue",
                hat.Hue)).ToList();
        return worn.Count == 0 ? null : new Element(HatsNamespace, "hats", worn);
    }

    /// <summary>XEP-0317 §2: changes with the list, so that clients need not read it again.</summary>
    string? HatsHash => _profile.Hats.IsEmpty ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\0', _profile.Hats.Select(hat => $"{hat.Uri}\0{hat.Title}\0{hat.Hue}")))));

    StanzaError? ReceiveCommand(Iq iq, Element command, in RoomInput input, List<RoomEffect> effects)
    {
        string node = command.Attribute("node") ?? "";
        if (!HatCommands.Any(known => known.Node == node)) return StanzaError.ItemNotFound;
        string kind = node[(HatsFormType.Length + 1)..];
        bool mayRead = kind == "list" && _occupants.TryFind(iq.From, out _);
        if (!mayRead && AffiliationOf(iq.From, input.Sender) != Affiliation.Owner) return HatsDenied;
        if (command.Attribute("action") == "cancel") return Answer(iq, command, "canceled", null, input, effects);
        if (kind == "list") return Answer(iq, command, "completed", HatList(), input, effects);
        if (kind == "list-assigned") return Answer(iq, command, "completed", WearerList(), input, effects);
        if (command.Child(Namespaces.DataForms, "x") is not { } x)
            return Answer(iq, command, "executing", HatForm(kind), input, effects);
        if (DataForm.Read(x, out var problem) is not { } form) return problem;
        if (form.Type == DataFormType.Cancel) return Answer(iq, command, "canceled", null, input, effects);
        if (form.Type != DataFormType.Submit) return StanzaError.BadRequest;
        var refusal = kind switch
        {
            "create" => CreateHat(form, input, effects),
            "destroy" => DestroyHat(form, input, effects),
            _ => ChangeWearer(form, assign: kind == "assign", effects),
        };
        return refusal ?? Answer(iq, command, "completed", null, input, effects);
    }

    StanzaError? Answer(Iq iq, Element command, string status, DataForm? form, in RoomInput input,
        List<RoomEffect> effects) => Succeed(iq, new Element(CommandsNamespace, "command", form?.ToElement())
            .With("node", command.Attribute("node"))
            .With("sessionid", command.Attribute("sessionid") ?? MakeId(input))
            .With("status", status), effects);

    DataForm HatForm(string kind)
    {
        var choices = _profile.Hats.Select(hat => new FormOption(hat.Uri, hat.Title)).ToList();
        return kind switch
        {
            "create" => new DataForm(DataFormType.Form, HatsFormType,
                FormField.Line(TitleVar, "Title", null) with { IsRequired = true },
                FormField.Line(UriVar, "URI", null) with { IsRequired = true },
                FormField.Line(HueVar, "Hue", null)),
            "destroy" => new DataForm(DataFormType.Form, HatsFormType,
                FormField.Choice(UriVar, "Hat", null, choices) with { IsRequired = true }),
            _ => new DataForm(DataFormType.Form, HatsFormType,
                FormField.Address(JidVar, "User", default) with { IsRequired = true },
                FormField.Choice(UriVar, "Hat", null, choices) with { IsRequired = true }),
        };
    }

    StanzaError? CreateHat(DataForm form, in RoomInput input, List<RoomEffect> effects)
    {
        if (!IsHatText(form.Value(UriVar), out string uri) || !IsHatText(form.Value(TitleVar), out string title))
            return StanzaError.BadRequest;
        string? hue = IsHatText(form.Value(HueVar), out string given) ? given : null;
        int index = IndexOfHat(uri);
        if (index < 0 && _profile.Hats.Length >= HatsMax) return TooManyHats;
        var hat = new RoomHat(uri, title, hue) { Wearers = index < 0 ? [] : _profile.Hats[index].Wearers };
        SetHats(index < 0 ? _profile.Hats.Add(hat) : _profile.Hats.SetItem(index, hat), hat.Wearers, effects);
        Notify(input, effects, MucStatus.ConfigurationChanged);
        return null;
    }

    StanzaError? DestroyHat(DataForm form, in RoomInput input, List<RoomEffect> effects)
    {
        int index = IndexOfHat(form.Value(UriVar));
        if (index < 0) return NoSuchHat;
        SetHats(_profile.Hats.RemoveAt(index), _profile.Hats[index].Wearers, effects);
        Notify(input, effects, MucStatus.ConfigurationChanged);
        return null;
    }

    StanzaError? ChangeWearer(DataForm form, bool assign, List<RoomEffect> effects)
    {
        if (!Jid.TryParse(form.Value(JidVar), out var jid) || !jid.HasLocal) return StanzaError.BadRequest;
        int index = IndexOfHat(form.Value(UriVar));
        if (index < 0) return NoSuchHat;
        var hat = _profile.Hats[index];
        var wearers = hat.Wearers.Remove(jid.Bare);
        if (assign) wearers = wearers.Add(jid.Bare);
        if (wearers.Length > WearersMax) return TooManyHats;
        if (wearers.Length != hat.Wearers.Length)
            SetHats(_profile.Hats.SetItem(index, hat with { Wearers = wearers }), [jid.Bare], effects);
        return null;
    }

    static bool IsHatText(string? value, out string text)
    {
        text = value ?? "";
        return text.Length is > 0 and <= HatTextMax && !text.Any(char.IsControl);
    }

    int IndexOfHat(string? uri)
    {
        for (int i = 0; i < _profile.Hats.Length; i++)
            if (_profile.Hats[i].Uri == uri) return i;
        return -1;
    }

    /// <summary>Takes a new list of hats and shows those whom it concerns anew.</summary>
    void SetHats(ImmutableArray<RoomHat> hats, ImmutableArray<Jid> concerned, List<RoomEffect> effects)
    {
        SetProfile(_profile with { Hats = hats }, effects);
        foreach (var user in concerned)
        {
            foreach (var occupant in _occupants.OfUser(user))
            {
                occupant.Rendered = default;
                Announce(occupant, effects);
            }
        }
    }

    DataForm HatList() => new(DataFormType.Result, HatsFormType)
    {
        Reported = [new(TitleVar, null), new(UriVar, null), new(HueVar, null)],
        Items = [.. _profile.Hats.Select(HatRow)],
    };

    DataForm WearerList() => new(DataFormType.Result, HatsFormType)
    {
        Reported = [new(JidVar, null), new(TitleVar, null), new(UriVar, null), new(HueVar, null)],
        Items = [.. _profile.Hats.SelectMany(hat => hat.Wearers.Select<Jid, IReadOnlyList<FormField>>(
            user => [new(JidVar, null, user.ToString()), .. HatRow(hat)]))],
    };

    // XEP-0317 §3.4 names the same columns in both lists.
    static IReadOnlyList<FormField> HatRow(RoomHat hat) =>
    [
        new(TitleVar, null, hat.Title), new(UriVar, null, hat.Uri), new(HueVar, null, hat.Hue is null ? [] : [hat.Hue]),
    ];
}
