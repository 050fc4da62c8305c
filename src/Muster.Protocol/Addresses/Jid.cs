using System.Diagnostics.CodeAnalysis;

namespace Muster.Protocol.Addresses;

/// <summary>
/// An XMPP address, <c>local@domain/resource</c>, in its normalised form (RFC 7622). A small struct over one string, so
/// that comparing is an ordinal string comparison and taking the parts allocates nothing.
/// </summary>
/// <remarks>Made only from parts that <see cref="JidPrep"/> has normalised, so two JIDs are the same address exactly
/// when they are equal, and reading what was printed gives an equal one. The default value is "no address".</remarks>
public readonly struct Jid : IEquatable<Jid>, IComparable<Jid>
{
    readonly string? _text;
    readonly int _localLength;  // 0: no local part
    readonly int _bareLength;   // length of local@domain; equal to _text.Length when there is no resource

    Jid(string text, int localLength, int bareLength)
    {
        _text = text;
        _localLength = localLength;
        _bareLength = bareLength;
    }

    /// <summary>The absent address.</summary>
    public static Jid None => default;

    /// <summary>True for the absent address.</summary>
    public bool IsNone => _text is null;

    /// <summary>The local part, empty when there is none.</summary>
    public ReadOnlySpan<char> Local => _text.AsSpan(0, _localLength);

    /// <summary>The domain.</summary>
    public ReadOnlySpan<char> Domain => _text.AsSpan(DomainStart, _bareLength - DomainStart);

    int DomainStart => _localLength == 0 ? 0 : _localLength + 1;

    /// <summary>The resource (in a room: the nick), empty when there is none.</summary>
    public ReadOnlySpan<char> Resource =>
        _text is null || _text.Length == _bareLength ? default : _text.AsSpan(_bareLength + 1);

    /// <summary>Local part and domain as text, without making another address; empty for the absent one.</summary>
    public ReadOnlySpan<char> BareText => _text.AsSpan(0, _bareLength);

    /// <summary>True when there is a local part.</summary>
    public bool HasLocal => _localLength > 0;

    /// <summary>True when there is a resource: a full JID, or an occupant's.</summary>
    public bool IsFull => _text is not null && _text.Length > _bareLength;

    /// <summary>True when there is no resource.</summary>
    public bool IsBare => _text is not null && _text.Length == _bareLength;

    /// <summary>True for a domain alone, without local part and resource.</summary>
    public bool IsDomain => IsBare && _localLength == 0;

    /// <summary>The address without its resource; itself when it has none.</summary>
    public Jid Bare => IsFull ? new Jid(_text![.._bareLength], _localLength, _bareLength) : this;

    /// <summary>The domain alone as an address.</summary>
    public Jid DomainJid => _text is null || IsDomain ? this : new Jid(Domain.ToString(), 0, Domain.Length);

    /// <summary>Whether both have the same local part and domain; allocates nothing.</summary>
    public bool SameBare(Jid other) =>
        _bareLength == other._bareLength
        && _text.AsSpan(0, _bareLength).SequenceEqual(other._text.AsSpan(0, _bareLength));

    /// <summary>Reads and normalises an address. False when it is no valid JID (RFC 7622 §3). Allocates nothing when
    /// the text is in its normal form and the domain is ASCII: the JID then keeps the text itself.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Jid jid)
    {
        jid = default;
        if (string.IsNullOrEmpty(text)) return false;
        // RFC 7622 §3.2: the resource begins at the first slash, the local part ends at the first at-sign before it.
        // They are looked for before anything is mapped, as mapping could make new ones (§3.1).
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        int bareLength = slash < 0 ? text.Length : slash;
        int at = text.AsSpan(0, bareLength).IndexOf('@');
        if (JidPrep.IsNormalDomain(text.AsSpan(at + 1, bareLength - at - 1))
            && (at < 0 || JidPrep.IsNormalLocal(text.AsSpan(0, at)))
            && (slash < 0 || JidPrep.IsNormalResource(text.AsSpan(slash + 1))))
        {
            jid = new Jid(text, Math.Max(at, 0), bareLength);
            return true;
        }
        string? local = at < 0 ? null : text[..at];
        string? resource = slash < 0 ? null : text[(slash + 1)..];
        return TryCreate(local, text[(at + 1)..bareLength], resource, out jid);
    }

    /// <summary>Makes an address from parts, normalising each; a null part is absent. False when a part that is there
    /// is empty or invalid.</summary>
    public static bool TryCreate(string? local, string domain, string? resource, out Jid jid)
    {
        jid = default;
        if (!JidPrep.TryDomain(domain, out var d)) return false;
        string? l = null, r = null;
        if (local is not null && !JidPrep.TryLocal(local, out l)) return false;
        if (resource is not null && !JidPrep.TryResource(resource, out r)) return false;
        int bareLength = (l is null ? 0 : l.Length + 1) + d.Length;
        jid = new Jid(string.Concat([l, l is null ? "" : "@", d, r is null ? "" : "/", r]), l?.Length ?? 0, bareLength);
        return true;
    }

    /// <summary>Reads an address that the program itself wrote. Throws <see cref="FormatException"/> when it is no
    /// JID.</summary>
    public static Jid Parse(string text) =>
        TryParse(text, out var jid) ? jid : throw new FormatException($"'{text}' is not a valid JID");

    /// <summary>The bare form of this address with a resource that is normalised here; false when the resource is
    /// invalid.</summary>
    public bool TryWithResource(string resource, out Jid jid)
    {
        jid = default;
        if (_text is null || !JidPrep.TryResource(resource, out var r)) return false;
        jid = new Jid(string.Concat(_text.AsSpan(0, _bareLength), "/", r), _localLength, _bareLength);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(Jid other) =>
        _bareLength == other._bareLength && string.Equals(_text, other._text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Jid other && Equals(other);
    /// <inheritdoc/>
    public override int GetHashCode() => _text is null ? 0 : string.GetHashCode(_text, StringComparison.Ordinal);
    /// <inheritdoc/>
    public int CompareTo(Jid other) => string.CompareOrdinal(_text, other._text);
    /// <summary>The address as text; "" for the absent one.</summary>
    public override string ToString() => _text ?? "";

    /// <summary>Equality of addresses, resources included.</summary>
    public static bool operator ==(Jid left, Jid right) => left.Equals(right);
    /// <summary>Inequality of addresses, resources included.</summary>
    public static bool operator !=(Jid left, Jid right) => !left.Equals(right);
    /// <summary>Ordinal order of the text.</summary>
    public static bool operator <(Jid left, Jid right) => left.CompareTo(right) < 0;
    /// <summary>Ordinal order of the text.</summary>
    public static bool operator >(Jid left, Jid right) => left.CompareTo(right) > 0;
    /// <summary>Ordinal order of the text.</summary>
    public static bool operator <=(Jid left, Jid right) => left.CompareTo(right) <= 0;
    /// <summary>Ordinal order of the text.</summary>
    public static bool operator >=(Jid left, Jid right) => left.CompareTo(right) >= 0;
}
