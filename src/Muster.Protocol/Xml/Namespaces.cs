namespace Muster.Protocol.Xml;

/// <summary>The namespace names of the protocol core. A namespace that one feature alone uses stands with that
/// feature.</summary>
public static class Namespaces
{
    /// <summary>Stanzas. Server and component streams' content namespaces are read as this one.</summary>
    public const string Client = "jabber:client";
    /// <summary>The content namespace on the wire of server-to-server streams (RFC 6120 §4.8.2).</summary>
    public const string Server = "jabber:server";
    /// <summary>The content namespace on the wire of component streams (XEP-0114 §3).</summary>
    public const string Component = "jabber:component:accept";
    /// <summary>The stream element, features and stream errors (RFC 6120 §4.8.1).</summary>
    public const string Streams = "http://etherx.jabber.org/streams";
    /// <summary>Conditions of stream errors (RFC 6120 §4.9.2).</summary>
    public const string StreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";
    /// <summary>Conditions of stanza errors (RFC 6120 §8.3.2).</summary>
    public const string StanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas";
    /// <summary>STARTTLS (RFC 6120 §5).</summary>
    public const string Tls = "urn:ietf:params:xml:ns:xmpp-tls";
    /// <summary>SASL (RFC 6120 §6).</summary>
    public const string Sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
    /// <summary>The extensible SASL profile (XEP-0388).</summary>
    public const string Sasl2 = "urn:xmpp:sasl:2";
    /// <summary>Resource binding (RFC 6120 §7).</summary>
    public const string Bind = "urn:ietf:params:xml:ns:xmpp-bind";
    /// <summary>Resource binding together with the login (XEP-0386).</summary>
    public const string Bind2 = "urn:xmpp:bind:0";
    /// <summary>Tokens to log in with again (XEP-0484).</summary>
    public const string Fast = "urn:xmpp:fast:0";
    /// <summary>The legacy session request (RFC 3921 §3).</summary>
    public const string Session = "urn:ietf:params:xml:ns:xmpp-session";
    /// <summary>Server dialback (XEP-0220).</summary>
    public const string Dialback = "jabber:server:dialback";
    /// <summary>WebSocket framing (RFC 7395 §3.3).</summary>
    public const string Framing = "urn:ietf:params:xml:ns:xmpp-framing";
    /// <summary>The namespace of xml:lang.</summary>
    public const string Xml = "http://www.w3.org/XML/1998/namespace";
    /// <summary>Roster (RFC 6121 §2).</summary>
    public const string Roster = "jabber:iq:roster";
    /// <summary>Service discovery: information (XEP-0030 §3).</summary>
    public const string DiscoInfo = "http://jabber.org/protocol/disco#info";
    /// <summary>Service discovery: items (XEP-0030 §4).</summary>
    public const string DiscoItems = "http://jabber.org/protocol/disco#items";
    /// <summary>Data forms (XEP-0004).</summary>
    public const string DataForms = "jabber:x:data";
    /// <summary>Result set management (XEP-0059).</summary>
    public const string ResultSets = "http://jabber.org/protocol/rsm";
    /// <summary>Delayed delivery (XEP-0203).</summary>
    public const string Delay = "urn:xmpp:delay";
    /// <summary>Unique and stable stanza ids (XEP-0359).</summary>
    public const string StanzaIds = "urn:xmpp:sid:0";
    /// <summary>Multi-user chat: entering rooms (XEP-0045 §7.2).</summary>
    public const string Muc = "http://jabber.org/protocol/muc";
    /// <summary>Multi-user chat: what occupants see (XEP-0045).</summary>
    public const string MucUser = "http://jabber.org/protocol/muc#user";
    /// <summary>Multi-user chat: moderators' and admins' requests (XEP-0045 §8, §9).</summary>
    public const string MucAdmin = "http://jabber.org/protocol/muc#admin";
    /// <summary>Multi-user chat: owners' requests (XEP-0045 §10).</summary>
    public const string MucOwner = "http://jabber.org/protocol/muc#owner";
    /// <summary>Direct invitations (XEP-0249).</summary>
    public const string DirectInvitation = "jabber:x:conference";
    /// <summary>Ping (XEP-0199).</summary>
    public const string Ping = "urn:xmpp:ping";
    /// <summary>In-band registration, also rooms' registration (XEP-0077, XEP-0045 §7.10).</summary>
    public const string Register = "jabber:iq:register";
    /// <summary>vcard-temp (XEP-0054).</summary>
    public const string VcardTemp = "vcard-temp";
    /// <summary>Anonymous occupant ids (XEP-0421).</summary>
    public const string OccupantId = "urn:xmpp:occupant-id:0";
    /// <summary>Message processing hints (XEP-0334).</summary>
    public const string Hints = "urn:xmpp:hints";
    /// <summary>Stream management (XEP-0198).</summary>
    public const string StreamManagement = "urn:xmpp:sm:3";
    /// <summary>Stream management as older clients name it; it means the same.</summary>
    public const string StreamManagement2 = "urn:xmpp:sm:2";
    /// <summary>Client state indication (XEP-0352).</summary>
    public const string ClientState = "urn:xmpp:csi:0";
}
