using System.Net;

namespace Muster.Core.Delivery;

/// <summary>Which IP addresses lie in the public internet. Where users name the address that the server is to connect
/// to, it must not be led into the operator's own network: to its own loopback, to neighbours, to the cloud's
/// metadata.</summary>
public static class PublicAddresses
{
    // The special-purpose registries of IANA (RFC 6890), with multicast.
    static readonly IPNetwork[] NotPublic4 = Networks(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4");

    static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");
    // Within it: protocols (Teredo among them), documentation, 6to4.
    static readonly IPNetwork[] NotPublic6 = Networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");
    // RFC 6052: IPv4 behind NAT64; the last four bytes are the address.
    static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    /// <summary>Whether an address is one.</summary>
    public static bool Contains(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (Nat64.Contains(address)) address = new IPAddress(address.GetAddressBytes()[12..]);
        return address.GetAddressBytes().Length == 4
            ? !IsIn(NotPublic4, address)
            : Global6.Contains(address) && !IsIn(NotPublic6, address);
    }

    static bool IsIn(IPNetwork[] networks, IPAddress address)
    {
        foreach (var network in networks)
            if (network.Contains(address)) return true;
        return false;
    }

    static IPNetwork[] Networks(params string[] texts) => Array.ConvertAll(texts, text => IPNetwork.Parse(text));
}
