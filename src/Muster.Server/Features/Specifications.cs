using System.Globalization;
using System.Text;

namespace Muster.Server.Features;

/// <summary>A specification and how much of it is there.</summary>
/// <param name="Id">RFC 6120, XEP-0045 …</param>
/// <param name="Title">Its title.</param>
/// <param name="Version">Version of a XEP that was followed; "" for RFCs.</param>
/// <param name="Support">How much of it.</param>
/// <param name="Note">What is left out, or a remark.</param>
sealed record Specification(string Id, string Title, string Version, Support Support, string Note);

/// <summary>All specifications that Muster implements: what the features say of themselves, and what is no feature but
/// lies in the streams, the stanzas and the rooms. docs/specs.md and docs/doap.xml are written from here.</summary>
static class Specifications
{
    // In no feature of their own: RFCs and what streams, payloads and rooms implement.
    static readonly Specification[] Elsewhere =
    [
        Rfc(6120, "XMPP: Core", Support.Complete),
        Rfc(6121, "XMPP: Instant Messaging and Presence", Support.Complete),
        Rfc(7622, "XMPP: Address Format", Support.Complete, "Unicode 15.0"),
        Rfc(7590, "Use of TLS in XMPP", Support.Complete),
        Rfc(7395, "An XMPP Subprotocol for WebSocket", Support.Complete),
        Rfc(5802, "SCRAM-SHA-1(-PLUS)", Support.Complete),
        Rfc(7677, "SCRAM-SHA-256(-PLUS)", Support.Complete),
        Rfc(4616, "PLAIN", Support.Complete, "inside TLS, or where a loopback listener allows it"),
        Rfc(8030, "Generic Event Delivery Using HTTP Push", Support.Complete, "as application server, for browsers"),
        Rfc(8188, "Encrypted Content-Encoding for HTTP", Support.Partial, "as RFC 8291 needs it: one record"),
        Rfc(8291, "Message Encryption for Web Push", Support.Complete),
        Rfc(8292, "Voluntary Application Server Identification (VAPID)", Support.Complete),
        Xep(4, "Data Forms", "2.13.1", Support.Complete),
        Xep(59, "Result Set Management", "1.0", Support.Complete),
        Xep(82, "XMPP Date and Time Profiles", "1.1.1", Support.Complete),
        Xep(115, "Entity Capabilities", "1.6.0", Support.Complete, "of the server, hash sha-1"),
        Xep(122, "Data Forms Validation", "1.0.2", Support.Partial, "ranges of numbers in the form of a room"),
        Xep(156, "Discovering Alternative XMPP Connection Methods", "1.4.0", Support.Complete),
        Xep(178, "Best Practices for Use of SASL EXTERNAL with Certificates", "1.2", Support.Partial,
            "between servers"),
        Xep(185, "Dialback Key Generation and Validation", "1.0", Support.Complete),
        Xep(203, "Delayed Delivery", "2.0", Support.Complete),
        Xep(220, "Server Dialback", "1.1.1", Support.Complete),
        Xep(249, "Direct MUC Invitations", "1.2", Support.Complete),
        Xep(288, "Bidirectional Server-to-Server Connections", "1.0.1", Support.Complete),
        Xep(317, "Hats", "0.3.1", Support.Complete),
        Xep(334, "Message Processing Hints", "0.4.0", Support.Complete),
        Xep(359, "Unique and Stable Stanza IDs", "0.7.0", Support.Complete),
        Xep(368, "SRV records for XMPP over TLS", "1.1.0", Support.Complete),
        Xep(372, "References", "0.2.0", Support.Partial, "mentions, for push notifications"),
        Xep(379, "Pre-Authenticated Roster Subscription", "0.3.4", Support.Complete),
        Xep(386, "Bind 2", "1.1.0", Support.Partial, "messages that wait are not cleared but sent, as always"),
        Xep(388, "Extensible SASL Profile", "1.0.4", Support.Complete, "no tasks are asked for"),
        Xep(421, "Occupant identifiers for semi-anonymous MUCs", "1.0.1", Support.Complete),
        Xep(425, "Moderated Message Retraction", "0.3.0", Support.Complete),
        Xep(437, "Room Activity Indicators", "0.2.0", Support.Complete,
            "of stored rooms with an archive in which one is a member; since the start of the server"),
        Xep(440, "SASL Channel-Binding Type Capability", "1.0.0", Support.Complete, "tls-server-end-point"),
        Xep(441, "Message Archive Management Preferences", "0.2.0", Support.Complete),
        Xep(463, "MUC Affiliations Versioning", "0.2.0", Support.Complete),
        Xep(486, "MUC Avatars", "0.1.0", Support.Complete),
        Xep(500, "MUC Slow Mode", "0.1.1", Support.Complete),
        Xep(502, "MUC Activity Indicator", "0.1.0", Support.Complete, "of the last 24 hours"),
    ];

    static readonly Dictionary<int, string> Titles = new()
    {
        [12] = "Last Activity",
        [30] = "Service Discovery",
        [45] = "Multi-User Chat",
        [49] = "Private XML Storage",
        [50] = "Ad-Hoc Commands",
        [54] = "vcard-temp",
        [77] = "In-Band Registration",
        [92] = "Software Version",
        [114] = "Jabber Component Protocol",
        [160] = "Best Practices for Handling Offline Messages",
        [191] = "Blocking Command",
        [198] = "Stream Management",
        [199] = "XMPP Ping",
        [202] = "Entity Time",
        [280] = "Message Carbons",
        [313] = "Message Archive Management",
        [352] = "Client State Indication",
        [357] = "Push Notifications",
        [401] = "Ad-hoc Account Invitation Generation",
        [410] = "MUC Self-Ping",
        [484] = "Fast Authentication Streamlining Tokens",
    };

    /// <summary>All of them, RFCs first, each kind by number.</summary>
    public static IReadOnlyList<Specification> All { get; } =
    [
        .. Elsewhere.Concat(Features.All.Create().Where(feature => feature.Info.Xep > 0).Select(FromFeature))
            .OrderBy(s => s.Id[0] == 'X').ThenBy(s => int.Parse(s.Id[4..], CultureInfo.InvariantCulture)),
    ];

    /// <summary>The table of docs/specs.md.</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("""
            # Specifications

            Written from the code, where each feature says what it implements; a test compares this page. *Partial*
            means that the remark says what is there. What is not listed is not there: it is answered with the error
            that its specification or RFC 6120 names. That goes, for now, for BOSH
            (XEP-0124).

            | specification | title | version | state | remark |
            | --- | --- | --- | --- | --- |

            """.ReplaceLineEndings("\n"));
        foreach (var (id, title, version, support, note) in All)
            text.Append(CultureInfo.InvariantCulture, $"| {id} | {title} | {version} | {Word(support)} | {note} |\n");
        return text.ToString();
    }

    /// <summary>docs/doap.xml: the same in the form that the XMPP Standards Foundation lists software by
    /// (XEP-0453).</summary>
    public static string ToDoap()
    {
        var text = new StringBuilder();
        text.Append("""
            <?xml version="1.0" encoding="UTF-8"?>
            <rdf:RDF xmlns="http://usefulinc.com/ns/doap#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
                     xmlns:xmpp="https://linkmauve.fr/ns/xmpp-doap#">
              <Project>
                <name>Muster</name>
                <shortdesc xml:lang="en">An XMPP server for group chat</shortdesc>
                <programming-language>C#</programming-language>
                <license rdf:resource="https://spdx.org/licenses/Apache-2.0"/>

            """.ReplaceLineEndings("\n"));
        foreach (var s in All.Where(s => s.Id[0] == 'R'))
            text.Append(CultureInfo.InvariantCulture,
                $"    <implements rdf:resource=\"https://www.rfc-editor.org/info/rfc{s.Id[4..]}\"/>\n");
        foreach (var s in All.Where(s => s.Id[0] == 'X'))
        {
            text.Append($"""
                    <implements>
                      <xmpp:SupportedXep>
                        <xmpp:xep rdf:resource="https://xmpp.org/extensions/{s.Id.ToLowerInvariant()}.html"/>
                        <xmpp:status>{Word(s.Support)}</xmpp:status>
                        <xmpp:version>{s.Version}</xmpp:version>
                      </xmpp:SupportedXep>
                    </implements>

                """.ReplaceLineEndings("\n"));
        }
        return text.Append("  </Project>\n</rdf:RDF>\n").ToString();
    }

    static Specification Rfc(int number, string title, Support support, string note = "") =>
        new($"RFC {number}", title, "", support, note);

    static Specification Xep(int number, string title, string version, Support support, string note = "") =>
        new($"XEP-{number:D4}", title, version, support, note);

    static Specification FromFeature(Feature feature)
    {
        var info = feature.Info;
        string title = Titles.GetValueOrDefault(info.Xep)
            ?? throw new InvalidOperationException($"XEP-{info.Xep:D4} ({feature.GetType().Name}) has no title here");
        return Xep(info.Xep, title, info.Version, info.Support, info.Note);
    }

    static string Word(Support support) => support == Support.Complete ? "complete" : "partial";
}
