using System.Formats.Asn1;
using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Core.Streams;

/// <summary>What the certificate that another server showed proves: for which domains it was issued, and whether its
/// issuer is trusted (RFC 6120 §13.7.2). What follows of it is for the policy.</summary>
public sealed class PeerCertificate
{
    const string XmppAddr = "1.3.6.1.5.5.7.8.5", SrvName = "1.3.6.1.5.5.7.8.7";
    const string ServicePrefix = "_xmpp-server.";

    readonly List<string> _dnsNames = [];
    readonly List<Jid> _addresses = [];

    PeerCertificate(string? problem) => Problem = problem;

    /// <summary>Reads the names of a certificate.</summary>
    /// <param name="alternativeNames">Value of its extension subjectAltName; empty when it has none.</param>
    /// <param name="problem">Why it is not to be trusted, or null when it is.</param>
    public PeerCertificate(ReadOnlyMemory<byte> alternativeNames, string? problem) : this(problem)
    {
        try
        {
            if (!alternativeNames.IsEmpty) Read(alternativeNames);
        }
        catch (AsnContentException)
        {
            Problem ??= "its names cannot be read";
        }
    }

    /// <summary>No certificate at all.</summary>
    public static PeerCertificate None { get; } = new("there is none");

    /// <summary>Why it is not to be trusted: expired, of an unknown issuer and so on; null when it is.</summary>
    public string? Problem { get; }

    /// <summary>Whether it proves that its owner is the server of a domain.</summary>
    public bool Proves(Jid domain) => ProblemFor(domain) is null;

    /// <summary>Why it does not prove that, or null when it does.</summary>
    public string? ProblemFor(Jid domain) => Problem ?? (Names(domain) ? null : "it is for another domain");

    /// <summary>Whether it was issued for a domain (RFC 6120 §13.7.1.2.1). A common name does not count: RFC 6125
    /// §6.4.4 has it for certificates without other names, which nobody issues any more.</summary>
    public bool Names(Jid domain)
    {
        if (_addresses.Contains(domain)) return true;
        string name = JidPrep.ToAscii(domain.Domain);
        return _dnsNames.Exists(pattern => Matches(pattern, name));
    }

    void Read(ReadOnlyMemory<byte> extension)
    {
        var names = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
        while (names.HasData)
        {
            var tag = names.PeekTag();
            if (tag == new Asn1Tag(TagClass.ContextSpecific, 2))
                _dnsNames.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            else if (tag == new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true))
                ReadOther(names.ReadSequence(tag));
            else
                names.ReadEncodedValue();
        }
    }

    void ReadOther(AsnReader name)
    {
        string kind = name.ReadObjectIdentifier();
        var value = name.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true));
        if (kind == XmppAddr)
        {
            // RFC 6120 §13.7.1.4.
            if (Jid.TryParse(value.ReadCharacterString(UniversalTagNumber.UTF8String), out var address))
                _addresses.Add(address);
        }
        else if (kind == SrvName)
        {
            // RFC 4985 §2: _service.domain, here without the protocol.
            string service = value.ReadCharacterString(UniversalTagNumber.IA5String);
            if (service.StartsWith(ServicePrefix, StringComparison.OrdinalIgnoreCase))
                _dnsNames.Add(service[ServicePrefix.Length..]);
        }
    }

    // RFC 6125 §6.4.3: an asterisk stands for the whole of the leftmost label, and for that alone.
    static bool Matches(string pattern, string name)
    {
        if (!Ascii.IsValid(pattern)) return false;
        if (!pattern.StartsWith("*.", StringComparison.Ordinal))
            return name.Equals(pattern, StringComparison.OrdinalIgnoreCase);
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && pattern.Count(c => c == '.') > 1
            && name.AsSpan(dot).Equals(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase);
    }
}
