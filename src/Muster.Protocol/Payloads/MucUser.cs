using System.Globalization;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>The <c>x</c> of muc#user (XEP-0045 §19.2 #schemas-user): what a room tells occupants, and how occupants
/// invite and decline.</summary>
public sealed record MucUser
{
    /// <summary>More invitations in one message are refused: each becomes a message of its own.</summary>
    public const int InvitesMax = 100;
    const int StatusesMax = 32;

    /// <summary>The occupant or user that it is about, or null.</summary>
    public MucItem? Item { get; init; }
    /// <summary>Status codes (<see cref="MucStatus"/>) in the order in which they are written.</summary>
    public IReadOnlyList<int> Statuses { get; init; } = [];
    /// <summary>The room's end, or null.</summary>
    public MucDestroy? Destroy { get; init; }
    /// <summary>Invitations.</summary>
    public IReadOnlyList<MucInvite> Invites { get; init; } = [];
    /// <summary>A declined invitation, or null.</summary>
    public MucDecline? Decline { get; init; }
    /// <summary>The room's password, sent with an invitation, or null.</summary>
    public string? Password { get; init; }
    /// <summary>Which version of the affiliations this leads to (XEP-0463), or null.</summary>
    public MucVersion? Version { get; init; }

    /// <summary>Makes an empty one, as it stands in private messages (XEP-0045 §7.5).</summary>
    public MucUser() { }

    /// <summary>Makes the usual content of a presence: an item and status codes.</summary>
    public MucUser(MucItem item, params IReadOnlyList<int> statuses)
    {
        Item = item;
        Statuses = statuses;
    }

    /// <summary>The <c>x</c> element.</summary>
    public Element ToElement() => new(Namespaces.MucUser, "x",
    [
        .. Invites.Select(invite => invite.ToElement()),
        Decline?.ToElement(),
        Item?.ToElement(),
        Destroy?.ToElement(),
        Password is null ? null : new Element(Namespaces.MucUser, "password", Password),
        .. Statuses.Select(Status),
        Version?.ToElement(),
    ]);

    /// <summary>One <c>status</c> element.</summary>
    public static Element Status(int code) =>
        new Element(Namespaces.MucUser, "status").With("code", code.ToString(CultureInfo.InvariantCulture));

    /// <summary>Reads an <c>x</c>. Status codes that are no numbers are left out.</summary>
    /// <returns>Null when <paramref name="problem"/> is set: what the parts' own readers say, or policy-violation
    /// for more than <see cref="InvitesMax"/> invitations.</returns>
    public static MucUser? Read(Element x, out StanzaError? problem)
    {
        problem = null;
        var invites = new List<MucInvite>();
        var statuses = new List<int>();
        var user = new MucUser
        {
            Invites = invites,
            Statuses = statuses,
            Password = MucItem.TextOf(x, "password"),
            Version = MucVersion.Of(x),
        };
        foreach (var child in x.Elements)
        {
            if (child.Namespace != Namespaces.MucUser) continue;
            switch (child.Name)
            {
                case "invite" when invites.Count == InvitesMax:
                    problem = StanzaError.PolicyViolation.WithText("Too many invitations in one message");
                    break;
                case "invite" when MucInvite.Read(child, out problem) is { } invite:
                    invites.Add(invite);
                    break;
                case "decline":
                    user = user with { Decline = MucDecline.Read(child, out problem) };
                    break;
                case "item":
                    user = user with { Item = MucItem.Read(child, out problem) };
                    break;
                case "destroy":
                    user = user with { Destroy = MucDestroy.Read(child, out problem) };
                    break;
                case "status" when statuses.Count < StatusesMax && TryCode(child, out int code):
                    statuses.Add(code);
                    break;
            }
            if (problem is not null) return null;
        }
        return user;
    }

    static bool TryCode(Element status, out int code) =>
        int.TryParse(status.Attribute("code"), NumberStyles.None, CultureInfo.InvariantCulture, out code) &&
        code is >= 100 and <= 999;
}
