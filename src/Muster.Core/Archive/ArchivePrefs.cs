using System.Collections.Immutable;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Archive;

/// <summary>What is archived of those about whom the user has said nothing (XEP-0441 §2.1.1).</summary>
public enum ArchiveDefault
{
    /// <summary>Everything.</summary>
    Always,
    /// <summary>Nothing.</summary>
    Never,
    /// <summary>What contacts in the roster send and are sent.</summary>
    Roster,
}

/// <summary>Which conversations a user wants archived (XEP-0441). Immutable.</summary>
public sealed class ArchivePrefs
{
    /// <summary>The name of the payload, in <see cref="ArchiveRequest.Namespace"/>.</summary>
    public const string Name = "prefs";
    /// <summary>Addresses in both lists together.</summary>
    public const int AddressesMax = 1000;

    static readonly ArchivePrefs[] Plain =
        [new(ArchiveDefault.Always), new(ArchiveDefault.Never), new(ArchiveDefault.Roster)];

    readonly ImmutableHashSet<Jid> _always, _never;

    /// <summary>Makes preferences.</summary>
    public ArchivePrefs(ArchiveDefault @default, IEnumerable<Jid>? always = null, IEnumerable<Jid>? never = null)
    {
        Default = @default;
        _always = [.. always ?? []];
        _never = [.. never ?? []];
    }

    /// <summary>Preferences that name nobody.</summary>
    public static ArchivePrefs Of(ArchiveDefault @default) => Plain[(int)@default];

    /// <summary>What holds for addresses in neither list.</summary>
    public ArchiveDefault Default { get; }

    /// <summary>Whether messages to or from an address are archived (§2.3): a list may name the resource, or all of
    /// them.</summary>
    /// <param name="other">The other party's address as the message has it.</param>
    /// <param name="roster">The user's roster.</param>
    public bool Keeps(Jid other, Roster roster)
    {
        if (_never.Count > 0 && (_never.Contains(other) || _never.Contains(other.Bare))) return false;
        if (_always.Count > 0 && (_always.Contains(other) || _always.Contains(other.Bare))) return true;
        return Default switch
        {
            ArchiveDefault.Always => true,
            ArchiveDefault.Roster => roster.Find(other.Bare) is { Listed: true },
            _ => false,
        };
    }

    /// <summary>The <c>prefs</c> element.</summary>
    public Element ToElement() => new Element(ArchiveRequest.Namespace, Name, List("always", _always),
        List("never", _never)).With("default", Default.ToString().ToLowerInvariant());

    /// <summary>Reads a <c>prefs</c> element.</summary>
    /// <param name="prefs">The element.</param>
    /// <param name="problem">Why it is refused: bad-request, jid-malformed, or policy-violation for more than
    /// <see cref="AddressesMax"/> addresses.</param>
    public static ArchivePrefs? Read(Element prefs, out StanzaError? problem)
    {
        problem = null;
        ArchiveDefault? @default = prefs.Attribute("default") switch
        {
            "always" => ArchiveDefault.Always,
            "never" => ArchiveDefault.Never,
            "roster" => ArchiveDefault.Roster,
            _ => null,
        };
        if (@default is null) problem = StanzaError.BadRequest.WithText("default is always, never or roster");
        else if (ReadList(prefs, "always", ref problem) is { } always &&
            ReadList(prefs, "never", ref problem) is { } never)
        {
            if (always.Count + never.Count <= AddressesMax) return new(@default.Value, always, never);
            problem = StanzaError.PolicyViolation.WithText($"at most {AddressesMax} addresses");
        }
        return null;
    }

    static Element List(string name, ImmutableHashSet<Jid> jids) => new(ArchiveRequest.Namespace, name,
        jids.Select(jid => jid.ToString()).Order(StringComparer.Ordinal)
            .Select(jid => new Element(ArchiveRequest.Namespace, "jid", jid)));

    static List<Jid>? ReadList(Element prefs, string name, ref StanzaError? problem)
    {
        var jids = new List<Jid>();
        foreach (var item in prefs.Child(name)?.Children(ArchiveRequest.Namespace, "jid") ?? [])
        {
            if (!Jid.TryParse(item.Text.Trim(), out var jid))
            {
                problem = StanzaError.JidMalformed;
                return null;
            }
            jids.Add(jid);
        }
        return jids;
    }
}
