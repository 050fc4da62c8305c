using System.Collections.Frozen;
using Muster.Protocol.Addresses;

namespace Muster.Core.Limits;

/// <summary>Whose domain a pattern of an access class is about.</summary>
public enum AccessScope
{
    /// <summary>Users of the domain for which the rule is asked.</summary>
    CurrentDomain,
    /// <summary>Users of any domain that this server serves.</summary>
    AnyHostedDomain,
    /// <summary>Everybody, users of other servers too.</summary>
    All,
    /// <summary>Nobody.</summary>
    None,
}

/// <summary>A part of an address.</summary>
public enum JidPart
{
    /// <summary>The local part.</summary>
    User,
    /// <summary>The domain.</summary>
    Server,
    /// <summary>The resource.</summary>
    Resource,
}

/// <summary>One condition on an address.</summary>
/// <param name="Part">The part looked at; an absent one is empty.</param>
/// <param name="Pattern">What it must be like.</param>
public readonly record struct AccessCondition(JidPart Part, TextPattern Pattern);

/// <summary>One pattern of an access class: all its conditions must hold.</summary>
/// <param name="Scope">The first of the conditions.</param>
/// <param name="Conditions">The others.</param>
public sealed record AccessPattern(AccessScope Scope, IReadOnlyList<AccessCondition> Conditions);

/// <summary>What a rule says: <c>allow</c>, <c>deny</c>, another word such as a shaper's name, or a number.</summary>
/// <param name="Text">The word; null when it is a number.</param>
/// <param name="Number">The number; null when it is a word.</param>
public readonly record struct AccessValue(string? Text, long? Number)
{
    /// <summary>Yes.</summary>
    public static readonly AccessValue Allow = new("allow", null);

    /// <summary>No: also the answer of a rule of which no clause fits.</summary>
    public static readonly AccessValue Deny = new("deny", null);

    /// <summary>True for <see cref="Allow"/>.</summary>
    public bool IsAllow => Text == "allow";
}

/// <summary>One clause of a rule: what those of the class get.</summary>
/// <param name="AccessClass">Name of the class; <c>all</c> has everybody, <c>none</c> nobody.</param>
/// <param name="Value">What they get.</param>
public sealed record AccessClause(string AccessClass, AccessValue Value);

/// <summary>
/// The access rules of the configuration (sections <c>acl</c> and <c>access</c>, as MongooseIM has them): a rule is a
/// list of clauses, and the first one whose class has the user says what the user gets.
/// </summary>
public sealed class AccessRules
{
    readonly FrozenDictionary<string, IReadOnlyList<AccessPattern>> _classes;
    readonly FrozenDictionary<string, IReadOnlyList<AccessClause>> _rules;
    readonly FrozenSet<string> _hosts;

    /// <summary>Makes a set of rules.</summary>
    /// <param name="classes">Patterns by class; a user is in the class when one of them fits.</param>
    /// <param name="rules">Clauses by rule.</param>
    /// <param name="hosts">The domains that this server serves, in their normal form.</param>
    public AccessRules(
        IEnumerable<KeyValuePair<string, IReadOnlyList<AccessPattern>>> classes,
        IEnumerable<KeyValuePair<string, IReadOnlyList<AccessClause>>> rules, IEnumerable<string> hosts)
    {
        _classes = classes.ToFrozenDictionary(StringComparer.Ordinal);
        _rules = rules.ToFrozenDictionary(StringComparer.Ordinal);
        _hosts = hosts.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>The names of the rules, without the built-in <c>all</c> and <c>none</c>.</summary>
    public IReadOnlyCollection<string> Names => _rules.Keys;

    /// <summary>What a rule says of a user.</summary>
    /// <param name="rule"><c>all</c> allows, <c>none</c> and a rule that does not exist deny.</param>
    /// <param name="who">The user.</param>
    /// <param name="hostDomain">The served domain on whose behalf it is asked; for a room its service's domain, not the
    /// service's own address.</param>
    public AccessValue Evaluate(string rule, Jid who, string hostDomain)
    {
        if (rule == "all") return AccessValue.Allow;
        if (!_rules.TryGetValue(rule, out var clauses)) return AccessValue.Deny;
        foreach (var clause in clauses)
            if (Has(clause.AccessClass, who, hostDomain)) return clause.Value;
        return AccessValue.Deny;
    }

    /// <summary>Whether a rule says <c>allow</c> of a user.</summary>
    public bool Allows(string rule, Jid who, string hostDomain) => Evaluate(rule, who, hostDomain).IsAllow;

    bool Has(string accessClass, Jid who, string hostDomain)
    {
        if (accessClass == "all") return true;
        if (!_classes.TryGetValue(accessClass, out var patterns)) return false;
        foreach (var pattern in patterns)
            if (Fits(pattern, who, hostDomain)) return true;
        return false;
    }

    bool Fits(AccessPattern pattern, Jid who, string hostDomain)
    {
        bool isInScope = pattern.Scope switch
        {
            AccessScope.All => true,
            AccessScope.AnyHostedDomain => _hosts.Contains(who.Domain.ToString()),
            AccessScope.CurrentDomain => who.Domain.SequenceEqual(hostDomain),
            _ => false,
        };
        if (!isInScope) return false;
        foreach (var (part, text) in pattern.Conditions)
        {
            var value = part switch { JidPart.User => who.Local, JidPart.Server => who.Domain, _ => who.Resource };
            if (!text.Matches(value)) return false;
        }
        return true;
    }
}
