using System.Net;

namespace Muster.Server.Config;

/// <summary>How a listener is encrypted.</summary>
enum TlsMode
{
    /// <summary>STARTTLS, and nothing else before it.</summary>
    StartTls,
    /// <summary>STARTTLS is offered, but may be left out: loopback only.</summary>
    StartTlsOptional,
    /// <summary>TLS from the first byte (XEP-0368), and HTTPS.</summary>
    Tls,
    /// <summary>Plain text: loopback only.</summary>
    None,
}

/// <summary>The doors of the server.</summary>
sealed class ListenConfig
{
    internal ListenConfig(Section s)
    {
        C2s = s.Tables("c2s", "Listeners for clients.", t => new C2sListener(t));
        S2s = s.Tables("s2s", "Listeners for other servers.", t => new S2sListener(t));
        Http = s.Tables("http", "Listeners for HTTP: /ws /http-bind /chat /console /api /metrics /upload " +
            "/.well-known/host-meta(.json).", t => new HttpListener(t));
        Component = s.Tables("component", "Listeners for external components (XEP-0114).", t =>
            new ComponentListener(t));
        if (s.IsGiven) return;
        // A file that names no listener gets those of a first start: clients, servers, HTTP, all on loopback.
        C2s = [new C2sListener(Section.Defaults)];
        S2s = [new S2sListener(Section.Defaults)];
        Http = [new HttpListener(Section.Defaults)];
    }

    public IReadOnlyList<C2sListener> C2s { get; }
    public IReadOnlyList<S2sListener> S2s { get; }
    public IReadOnlyList<HttpListener> Http { get; }
    public IReadOnlyList<ComponentListener> Component { get; }

    /// <summary>All of them.</summary>
    public IEnumerable<Listener> All => [.. C2s, .. S2s, .. Http, .. Component];
}

/// <summary>What every listener has.</summary>
abstract class Listener(Section s, int port, TlsMode mode, (string, TlsMode)[] modes)
{
    protected static readonly (string, TlsMode)[] StreamModes =
    [
        ("starttls", TlsMode.StartTls), ("starttls_optional", TlsMode.StartTlsOptional),
        ("tls", TlsMode.Tls), ("none", TlsMode.None),
        ("starttls_required", TlsMode.StartTls),   // MongooseIM's name for what "starttls" is here
    ];
    protected static readonly (string, TlsMode)[] DirectModes = [("none", TlsMode.None), ("tls", TlsMode.Tls)];

    /// <summary>For checks: <c>listen.c2s[0]</c>.</summary>
    internal string ConfigPath { get; } = s.Path;

    public int Port { get; } = s.Port("port", port, "The port; 0 lets the system choose a free one.");

    public IPAddress IpAddress { get; } = s.Ip("ip_address", "127.0.0.1",
        "The address to listen on. \"0.0.0.0\" is every IPv4 address, \"::\" every address of both kinds. The " +
            "default is safe rather than open.");

    public TlsConfig Tls { get; } = s.Table("tls", "Encryption of this listener.", t => new TlsConfig(t, mode, modes));

    public int MaxStanzaSize { get; } = s.Int("max_stanza_size", 262_144,
        "Largest stanza that is read; a larger one ends the stream. RFC 6120 §13.12 wants at least 10000.",
        min: 10_000, max: 16 * 1024 * 1024, unit: "bytes", reloads: true);

    public string? Shaper { get; } = s.Shaper(
        "shaper", "Shaper of what each connection may send, in bytes a second; \"none\" for no limit.");

    public TimeSpan LoginTimeout { get; } = s.Seconds(
        "login_timeout", 60, "How long a connection may stay unauthenticated.", max: 3600, reloads: true);

    public int? MaxConnections { get; } = s.IntOrInfinity(
        "max_connections", null, "Connections at a time; further ones are closed at once.", min: 1, reloads: true);
}

/// <summary>Certificate and mode of a listener.</summary>
sealed class TlsConfig(Section s, TlsMode mode, (string, TlsMode)[] modes)
{
    public TlsMode Mode { get; } = s.Choice("mode", mode,
        modes.Length > 2
            ? "\"starttls\" demands STARTTLS, \"tls\" is TLS from the first byte (XEP-0368); \"starttls_optional\" " +
                "and \"none\" are refused except on loopback addresses."
            : "\"tls\" is TLS from the first byte; \"none\" is refused except on loopback addresses.", modes);

    public string? CertFile { get; } = s.OptionalFile(
        "certfile", "a self-signed certificate, made and kept in the data folder",
        "PEM file with the certificate and those that signed it. The file is read again when it changes.",
        reloads: true);

    public string? KeyFile { get; } = s.OptionalFile(
        "keyfile", "the key is in certfile", "PEM file with the private key. The file is read again when it changes.",
        reloads: true);

    public string? Password { get; } = s.OptionalText(
        "password", "the key is not encrypted", "Password of the private key.", secret: true, reloads: true);
}

/// <summary>A listener for clients.</summary>
sealed class C2sListener : Listener
{
    // A constructor rather than initial values, which would come before those of the base and so lead the
    // documentation.
    public C2sListener(Section s) : base(s, 5222, TlsMode.StartTls, StreamModes) =>
        Access = s.Rule("access", "all", "Access rule: who may log in here.");

    public string Access { get; }
}

/// <summary>A listener for other servers.</summary>
sealed class S2sListener(Section s) : Listener(s, 5269, TlsMode.StartTls, StreamModes);

/// <summary>A listener for external components.</summary>
sealed class ComponentListener : Listener
{
    public ComponentListener(Section s) : base(s, 5347, TlsMode.None, DirectModes)
    {
        Password = s.RequiredText("password", "secret", "What components authenticate with.", secret: true);
        Domains = s.Domains("domains", [], "The domains that components may serve here; others are refused with " +
            "host-unknown. Empty: every domain that this server does not serve itself.");
        Access = s.Rule("access", "all", "Access rule: who may send to components of this listener.");
        CheckFrom = s.Flag("check_from", true, "Whether a component may send from its own domain only.");
        KicksOld = s.Choice("conflict_behaviour", false,
            "When a component connects whose domain is connected already: \"disconnect\" refuses the new one, " +
                "\"kick_old\" ends the old one.",
            [("disconnect", false), ("kick_old", true)]);
    }

    public string Password { get; }
    public IReadOnlyList<string> Domains { get; }
    public string Access { get; }
    public bool CheckFrom { get; }
    public bool KicksOld { get; }
}

/// <summary>What an HTTP listener serves.</summary>
enum HttpService { WebSocket, Bosh, Chat, Console, Api, Metrics, Upload, HostMeta }

/// <summary>A listener for HTTP.</summary>
sealed class HttpListener : Listener
{
    static readonly (string, HttpService)[] ServiceWords =
    [
        ("ws", HttpService.WebSocket), ("http-bind", HttpService.Bosh), ("chat", HttpService.Chat),
        ("console", HttpService.Console), ("api", HttpService.Api), ("metrics", HttpService.Metrics),
        ("upload", HttpService.Upload), ("host-meta", HttpService.HostMeta),
    ];

    public HttpListener(Section s) : base(s, 5280, TlsMode.None, DirectModes)
    {
        Access = s.Rule("access", "all", "Access rule: who may log in here by WebSocket or BOSH.");
        Services = s.Choices("services", Array.ConvertAll(ServiceWords, w => w.Item2),
            "What is served here. Leave \"console\", \"api\" and \"metrics\" out of a listener that the world can " +
                "reach.", ServiceWords);
        PublicUrl = s.Parsed("public_url", null, null, "an http:// or https:// address",
            "Address under which the world reaches this listener, for links and host-meta.", AsWebAddress,
            unset: "made of ip_address and port", reloads: true);
    }

    public string Access { get; }
    public IReadOnlyList<HttpService> Services { get; }
    public string? PublicUrl { get; }

    static string? AsWebAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? text.TrimEnd('/')
            : null;
}
