using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>A mediated invitation (XEP-0045 §7.8.2 #invite-mediated): with <paramref name="To"/> on the way to the
/// room, with <paramref name="From"/> from it.</summary>
/// <param name="To">The invited user, or <see cref="Jid.None"/>.</param>
/// <param name="From">Who invites, or <see cref="Jid.None"/>.</param>
/// <param name="Reason">Text for people, or null.</param>
/// <param name="Continues">True when a one-to-one chat is continued in the room (XEP-0045 §7.9 #continue).</param>
/// <param name="Thread">Thread of that chat, or null.</param>
public sealed record MucInvite(
    Jid To = default, Jid From = default, string? Reason = null, bool Continues = false, string? Thread = null)
{
    /// <summary>The <c>invite</c> element.</summary>
    public Element ToElement()
    {
        var invite = new Element(Namespaces.MucUser, "invite",
            string.IsNullOrEmpty(Reason) ? null : new Element(Namespaces.MucUser, "reason", Reason),
            Continues ? new Element(Namespaces.MucUser, "continue").With("thread", Thread) : null);
        if (!To.IsNone) invite = invite.With("to", To.ToString());
        return From.IsNone ? invite : invite.With("from", From.ToString());
    }

    /// <summary>Reads an invite. Null with jid-malformed when an address is none.</summary>
    public static MucInvite? Read(Element invite, out StanzaError? problem)
    {
        if (!MucElements.TryAddresses(invite, out var to, out var from, out problem)) return null;
        var thread = invite.Child("continue");
        return new(to, from, MucItem.TextOf(invite, "reason"), thread is not null, thread?.Attribute("thread"));
    }
}

/// <summary>The answer of a user who does not want to come (XEP-0045 §7.8.2 #invite-mediated).</summary>
/// <param name="To">Who invited, on the way to the room; else <see cref="Jid.None"/>.</param>
/// <param name="From">Who declines, on the way from the room; else <see cref="Jid.None"/>.</param>
/// <param name="Reason">Text for people, or null.</param>
public sealed record MucDecline(Jid To = default, Jid From = default, string? Reason = null)
{
    /// <summary>The <c>decline</c> element.</summary>
    public Element ToElement()
    {
        var decline = new Element(Namespaces.MucUser, "decline",
            string.IsNullOrEmpty(Reason) ? null : new Element(Namespaces.MucUser, "reason", Reason));
        if (!To.IsNone) decline = decline.With("to", To.ToString());
        return From.IsNone ? decline : decline.With("from", From.ToString());
    }

    /// <summary>Reads a decline. Null with jid-malformed when an address is none.</summary>
    public static MucDecline? Read(Element decline, out StanzaError? problem) =>
        MucElements.TryAddresses(decline, out var to, out var from, out problem)
            ? new(to, from, MucItem.TextOf(decline, "reason"))
            : null;
}

/// <summary>A direct invitation, user to user (XEP-0249), which a room also sends for clients that know nothing
/// else.</summary>
/// <param name="Room">The room.</param>
/// <param name="Reason">Text for people, or null.</param>
/// <param name="Password">The room's password, or null.</param>
/// <param name="Continues">True when a one-to-one chat is continued in the room.</param>
/// <param name="Thread">Thread of that chat, or null.</param>
public sealed record DirectInvitation(
    Jid Room, string? Reason = null, string? Password = null, bool Continues = false, string? Thread = null)
{
    /// <summary>The <c>x</c> element.</summary>
    public Element ToElement() => new Element(Namespaces.DirectInvitation, "x")
        .With("jid", Room.ToString())
        .With("password", Password)
        .With("reason", string.IsNullOrEmpty(Reason) ? null : Reason)
        .With("continue", Continues ? "true" : null)
        .With("thread", Thread);

    /// <summary>Reads one; null when it names no room.</summary>
    public static DirectInvitation? Read(Element x) =>
        Jid.TryParse(x.Attribute("jid"), out var room)
            ? new(room, x.Attribute("reason"), x.Attribute("password"),
                x.Attribute("continue") is "true" or "1", x.Attribute("thread"))
            : null;
}
