using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Server.Config;
using Muster.Server.Net;
using Muster.Server.Routing;

namespace Muster.Server;

/// <summary>Federation: from the configuration to the connections of other servers.</summary>
sealed partial class ServerHost
{
    const int DialbackSecretBytes = 32;

    // How long a server may take to negotiate a stream that this one opened, once it is connected.
    static readonly TimeSpan NegotiationTime = TimeSpan.FromSeconds(30);

    readonly PeerServices _peers;
    readonly byte[] _dialbackSecret = RandomNumberGenerator.GetBytes(DialbackSecretBytes);
    volatile PeerRouteSettings _peerRules;
    volatile PeerSettings? _dialing; // the rules of streams that this server opens; null when it opens none
    PeerNetwork? _peerNetwork;

    void StartPeers()
    {
        if (PeerListeners.Count == 0) return; // nobody could answer for a key, so nobody is connected to
        _dialing = DialSettingsOf(_live);
        var connect = _overrides.ConnectPeer;
        if (connect is null)
        {
            var dns = new DnsClient(_overrides.Clock);
            var resolver = new SrvResolver(dns, _overrides.Clock, () => new ResolverSettings
            {
                Timeout = _live.S2s.DnsTimeout,
                Attempts = _live.S2s.DnsRetries,
            });
            _peerNetwork = new PeerNetwork(resolver, FixedAddressOf);
            connect = _peerNetwork.ConnectAsync;
        }
        Services.Peers.Start(new PeerDialer(_peers, () => _dialing!, connect).DialAsync);
    }

    PeerEndpoint? FixedAddressOf(Jid domain) =>
        _live.S2s.Addresses.FirstOrDefault(address => address.Host == domain.ToString()) is { } found
            ? new PeerEndpoint(found.IpAddress, found.Port, BeginsInTls: false)
            : null;

    /// <summary>Puts another configuration in force, for the streams that begin from now on; those with domains that
    /// are denied now are closed.</summary>
    void ApplyPeers(ServerConfig config, IReadOnlyList<PeerSettings> listeners)
    {
        _peerRules = PeerRouteSettingsOf(config);
        foreach (var (listener, settings) in PeerListeners.Zip(listeners)) listener.Settings = settings;
        if (_dialing is not null) _dialing = DialSettingsOf(config);
        Services.Peers.CloseDenied();
    }

    List<PeerListener> PeerListenersOf(ServerConfig config) => !_overrides.OpensListeners ? []
        : [.. config.Listen.S2s.Select(rules => new PeerListener(_peers, PeerSettingsOf(config, rules, null)))];

    List<PeerSettings> PeerSettingsOf(ServerConfig config) =>
        [.. PeerListeners.Zip(_config.Listen.S2s, (listener, rules) =>
        {
            var (was, becomes) = (InForce(rules, _live.Listen.S2s), InForce(rules, config.Listen.S2s));
            return PeerSettingsOf(config, becomes, HasSameCertificate(was, becomes)
                ? listener.Settings.Certificate
                : null);
        })];

    // In the role of the client of TLS the certificate of the first listener that has one is shown.
    PeerSettings DialSettingsOf(ServerConfig config)
    {
        var first = PeerListeners.FirstOrDefault(listener => listener.Settings.Certificate is not null)
            ?? PeerListeners[0];
        return first.Settings with { ConnectTimeout = config.S2s.ConnectionTimeout, LoginTimeout = NegotiationTime };
    }

    PeerSettings PeerSettingsOf(ServerConfig config, S2sListener listener, CertificateSource? certificate) => new()
    {
        Policy = PeerPolicyOf(config, listener.Tls.Mode is TlsMode.StartTls or TlsMode.StartTlsOptional),
        Limits = new(ItemBytesMax: listener.MaxStanzaSize),
        LoginTimeout = listener.LoginTimeout,
        LoginBytesMax = config.Limits.UnauthenticatedBytesMax,
        OutboundBytesMax = config.Limits.OutboundBytesMax,
        StreamTimeout = config.S2s.StreamTimeout,
        BytesPerSecondMax = listener.Shaper is { } shaper ? config.Shapers[shaper].MaxRate : null,
        ConnectionsMax = listener.MaxConnections ?? int.MaxValue,
        Certificate = certificate ?? CertificateOf(listener.Tls),
        Authorities = AuthoritiesOf(config.S2s.CaCertFile),
        BeginsInTls = listener.Tls.Mode == TlsMode.Tls,
        UnackedMax = config.Modules.Smacks.MaxUnackedStanzas,
        AckDelayMax = config.Modules.Smacks.MaxAckDelay,
        ResumeTime = config.Modules.Smacks.S2sHibernationTime,
    };

    PeerPolicy PeerPolicyOf(ServerConfig config, bool offersTls) => new()
    {
        IsLocal = Services.Router.IsLocal,
        DefaultHost = Jid.Parse(config.DefaultDomain),
        Allows = AllowsOf(config),
        TlsFor = TlsOf(config),
        OffersTls = offersTls,
        Acks = config.Modules.Smacks is { Enabled: true, EnabledS2s: true },
        DialbackSecret = config.S2s.Shared is { } shared ? Encoding.UTF8.GetBytes(shared) : _dialbackSecret,
        Language = config.General.Language,
    };

    static Func<Jid, bool> AllowsOf(ServerConfig config)
    {
        var named = config.S2s.HostPolicies.ToLookup(policy => policy.Host, policy => policy.Allows);
        bool otherwise = config.S2s.AllowsByDefault;
        return domain => named.Contains(domain.ToString()) ? named[domain.ToString()].All(allows => allows) : otherwise;
    }

    static Func<Jid, PeerTls> TlsOf(ServerConfig config)
    {
        var named = new Dictionary<string, PeerTls>(StringComparer.Ordinal);
        foreach (var address in config.S2s.Addresses)
            if (address.UseStartTls is { } tls) named[address.Host] = tls;
        foreach (var policy in config.S2s.HostPolicies)
            if (policy.UseStartTls is { } tls) named[policy.Host] = tls;
        var otherwise = config.S2s.UseStartTls;
        return domain => domain.IsNone ? otherwise : named.GetValueOrDefault(domain.ToString(), otherwise);
    }

    static X509Certificate2Collection AuthoritiesOf(string? file)
    {
        var all = new X509Certificate2Collection();
        if (file is null) return all;
        try
        {
            all.ImportFromPemFile(file);
            return all;
        }
        catch (Exception error) when (CertificateSource.IsUnreadable(error))
        {
            throw new StartException($"s2s.cacertfile: {file} cannot be loaded: {error.Message}", error);
        }
    }

    PeerRouteSettings PeerRouteSettingsOf(ServerConfig config)
    {
        var (s2s, limits, keepalive) = (config.S2s, config.Limits, config.Modules.S2sKeepalive);
        var kept = keepalive.Servers.ToHashSet(StringComparer.Ordinal);
        return new PeerRouteSettings
        {
            Federates = _config.Listen.S2s.Count > 0 && _overrides.OpensListeners,
            Allows = AllowsOf(config),
            AttemptTimeout = s2s.DnsTimeout + s2s.ConnectionTimeout + NegotiationTime,
            RetryDelayMax = s2s.MaxRetryDelay,
            QueueLengthMax = limits.PeerQueueLengthMax,
            QueueBytesMax = limits.OutboundBytesMax,
            RoutesMax = limits.PeerRoutesMax,
            StreamsPerDomainMax = limits.PeerStreamsPerDomainMax,
            Resends = config.Modules.Smacks.S2sResend,
            ResumeTime = config.Modules.Smacks.S2sHibernationTime,
            KeepsAlive = keepalive.Enabled
                ? domain => kept.Count == 0 || kept.Contains(domain.ToString())
                : static _ => false,
            PingInterval = keepalive.Interval,
            PingTimeout = keepalive.Timeout,
        };
    }
}
