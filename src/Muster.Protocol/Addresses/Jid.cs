using System.Diagnostics.CodeAnalysis;

namespace Muster.Protocol.Addresses;

/// <summary>
/// An XMPP address, <c>local@domain/resource</c>, in its normalised form (RFC 7622). A small struct over one string, so
/// that comparing is an ordinal string comparison and taking the parts allocates nothing.
/// </summary>
/// <remarks>Made only through <see cref="TryParse"/> and <see cref="TryCreate"/>, which normalise each part with <see cref="JidPrep"/>;
/// so two JIDs are the same address exactly when they are equal. The default value is "no address".</remarks>
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
    public ReadOnlySpan<char> Domain =>
        _text is null ? default : _localLength == 0 ? _text.AsSpan(0, _bareLength) : _text.AsSpan(_localLength + 1, _bareLength - _localLength - 1);

    /// <summary>The resource (in a room: the nick), empty when there is none.</summary>
    public ReadOnlySpan<char> Resource =>
        _text is null || _text.Length == _bareLength ? default : _text.AsSpan(_bareLength + 1);

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
        _bareLength == other._bareLength && _text.AsSpan(0, _bareLength).SequenceEqual(other._text.AsSpan(0, _bareLength));

    /// <summary>Reads and normalises an address. False when it is no valid JID (RFC 7622 §3).</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Jid jid)
    {
        jid = default;
        if (string.IsNullOrEmpty(text)) return false;
        // RFC 7622 §3.1: the resource begins at the first slash, the local part ends at the first at-sign before it.
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        var bare = slash < 0 ? text.AsSpan() : text.AsSpan(0, slash);
        int at = bare.IndexOf('@');
        string? local = at < 0 ? null : bare[..at].ToString();
        string? resource = slash < 0 ? null : text[(slash + 1)..];
        return TryCreate(local, bare[(at + 1)..].ToString(), resource, out jid);
    }

    /// <summary>Makes an address from parts, normalising each; a null part is absent, an empty local part or resource is an error.</summary>
    public static bool TryCreate(string? local, string domain, string? resource, out Jid jid)
    {
        jid = default;
        if (!JidPrep.TryDomain(domain, out var d)) return false;
        string? l = null, r = null;
        if (local is not null && !JidPrep.TryLocal(local, out l)) return false;
        if (resource is not null && !JidPrep.TryResource(resource, out r)) return false;
        jid = Join(l, d, r);
        return true;
    }

    /// <summary>Reads an address that the program itself wrote. Throws <see cref="FormatException"/> when it is no JID.</summary>
    public static Jid Parse(string text) =>
        TryParse(text, out var jid) ? jid : throw new FormatException($"'{text}' is not a valid JID");

    /// <summary>The bare form of this address with a resource that is normalised here; false when the resource is invalid.</summary>
    public bool TryWithResource(string resource, out Jid jid)
    {
        jid = default;
        if (_text is null || !JidPrep.TryResource(resource, out var r)) return false;
        jid = new Jid(string.Concat(_text.AsSpan(0, _bareLength), "/", r), _localLength, _bareLength);
        return true;
    }

    static Jid Join(string? local, string domain, string? resource)
    {
        int localLength = local?.Length ?? 0;
        string bare = local is null ? domain : string.Concat(local, "@", domain);
        return new Jid(resource is null ? bare : string.Concat(bare, "/", resource), localLength, bare.Length);
    }

    /// <inheritdoc/>
    public bool Equals(Jid other) => _bareLength == other._bareLength && string.Equals(_text, other._text, StringComparison.Ordinal);
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
