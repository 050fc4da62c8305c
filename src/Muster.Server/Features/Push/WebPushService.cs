using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Features.Push;

/// <summary>What the configuration says of push to browsers.</summary>
/// <param name="Contact">Where operators of push services reach ours.</param>
/// <param name="Hosts">Hosts of push services that may be used, with what is below them; empty: all.</param>
/// <param name="PrivateHosts">Those that may have any address.</param>
/// <param name="Life">How long a push service keeps a message for a browser that is away.</param>
sealed record WebPushRules(
    string Contact, IReadOnlyList<string> Hosts, IReadOnlyList<string> PrivateHosts, TimeSpan Life)
{
    /// <summary>Whether a push service may be used.</summary>
    public bool Allow(string host) => Hosts.Count == 0 || IsIn(Hosts, host) || IsIn(PrivateHosts, host);

    /// <summary>Whether it may have any address.</summary>
    public bool MayBePrivate(string host) => IsIn(PrivateHosts, host);

    static bool IsIn(IReadOnlyList<string> names, string host) => names.Any(name =>
        host.EndsWith(name, StringComparison.OrdinalIgnoreCase)
        && (host.Length == name.Length || host[^(name.Length + 1)] == '.'));
}

/// <summary>
/// The server's own push service (XEP-0357 §3: app server), for browsers: what is published to it, it encrypts and
/// hands to the push service of the browser's vendor (Web Push: RFC 8030, 8291, 8292). It keeps nothing of its own:
/// where a browser takes messages stands in the form that its registration brings with each push. So all rules of
/// registrations hold unchanged: who is pushed, how much is told, what errors lead to.
/// </summary>
sealed class WebPushService : IDisposable
{
    /// <summary>How long the push service of a vendor may take.</summary>
    public static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);
    // Messages under way, and those of them to one browser: one that names a service which never answers holds up
    // itself.
    const int UnderWayMax = 200, UnderWayPerBrowserMax = 4;

    readonly IReadOnlyCollection<string> _domains;
    readonly Func<WebPushRules> _rules;
    readonly Func<string, bool> _isOwn;
    readonly PushMeters _meters;
    readonly ILogger _log;
    readonly WebPushClient _client;
    readonly Lock _lock = new();
    readonly Dictionary<Uri, int> _underWay = [];
    readonly CancellationTokenSource _stop = new();
    int _count;
    WebPushKey? _key;

    /// <summary>Prepares it; <see cref="Open"/> follows.</summary>
    /// <param name="domains">The domains of accounts: each is the address of the service.</param>
    /// <param name="isOwn">Whether a domain pushes: one of accounts, or a room service here.</param>
    /// <param name="rules">The rules in force.</param>
    /// <param name="clock">The time.</param>
    /// <param name="meters">What is counted.</param>
    /// <param name="log">Where to log.</param>
    /// <param name="roots">Authorities for certificates in the place of the system's; null for those.</param>
    public WebPushService(IReadOnlyCollection<string> domains, Func<string, bool> isOwn, Func<WebPushRules> rules,
        TimeProvider clock, PushMeters meters, ILogger log, X509Certificate2Collection? roots)
    {
        (_domains, _isOwn, _rules, _meters, _log) = (domains, isOwn, rules, meters, log);
        _client = new WebPushClient(clock, host => _rules().MayBePrivate(host), roots);
    }

    /// <summary>The public key that browsers subscribe with.</summary>
    public string PublicKey => _key?.Public ?? throw new InvalidOperationException("not open");

    /// <summary>Takes the key from the database, or makes it.</summary>
    /// <exception cref="StorageException">It cannot be read or written.</exception>
    public async ValueTask Open(Database database, TimeProvider clock) =>
        _key = await WebPushKey.Open(database, clock);

    /// <summary>Whether this is the push service of a registration.</summary>
    public bool Is(Jid app) => app.IsDomain && _domains.Contains(app.ToString());

    /// <summary>Whether a registration brings what is needed to push to a browser.</summary>
    /// <param name="form">Its publish-options.</param>
    /// <returns>What is wrong, for the client; null when nothing is.</returns>
    public string? Check(Element? form)
    {
        if (WebPushSubscription.Read(form, out string? problem) is not { } to) return problem;
        var rules = _rules();
        // No browser's push service is known by a number alone.
        bool isName = to.Endpoint.HostNameType == UriHostNameType.Dns || rules.MayBePrivate(to.Endpoint.IdnHost);
        return isName && rules.Allow(to.Endpoint.IdnHost) ? null
            : $"The push service {to.Endpoint.Host} is not used here";
    }

    /// <summary>What may hold up what: pushes to the same push service wait for each other, those to others do
    /// not.</summary>
    public static string LineOf(Element? options) => WebPushSubscription.OriginOf(options) ?? "";

    /// <summary>Takes a push (XEP-0357 §7); the answer.</summary>
    public async ValueTask<Iq> Publish(Iq iq)
    {
        // Users of this server and their rooms alone: whoever else could have this server call any address.
        if (!iq.From.IsDomain || !_isOwn(iq.From.ToString())) return iq.Refuse(StanzaError.Forbidden);
        if (WebPushMessage.Read(iq) is not { } message) return iq.Refuse(StanzaError.BadRequest);
        if (!message.IsWorthShowing)
        {
            _meters.Web("quiet");
            return iq.Result();
        }
        var error = _rules().Allow(message.To.Endpoint.IdnHost) ? await Send(message) : StanzaError.NotAllowed;
        return error is null ? iq.Result() : iq.Refuse(error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _client.Dispose();
        _key?.Dispose();
    }

    async ValueTask<StanzaError?> Send(WebPushMessage message)
    {
        if (!TryBegin(message.To.Endpoint)) return Failed(message, "full", StanzaError.ResourceConstraint);
        try
        {
            var rules = _rules();
            int status = await _client.Send(
                message, _key!.Authorization(message.To.Origin, rules.Contact), rules.Life, AnswerTime, _stop.Token);
            var error = WebPushMessage.ErrorOf(status);
            _meters.Web(error is null ? "taken" : "status");
            if (error is not null) PushLog.WebRefused(_log, message.To.Endpoint.Host, status);
            return error;
        }
        catch (PrivateAddressException)
        {
            return Failed(message, "private", StanzaError.NotAllowed);
        }
        catch (OperationCanceledException)
        {
            return Failed(message, "timeout", StanzaError.RemoteServerTimeout);
        }
        catch (HttpRequestException e)
        {
            return Failed(message, "failed", StanzaError.RemoteServerNotFound, e.HttpRequestError.ToString());
        }
        finally
        {
            End(message.To.Endpoint);
        }
    }

    StanzaError Failed(WebPushMessage message, string outcome, StanzaError error, string? problem = null)
    {
        PushLog.WebFailed(_log, message.To.Endpoint.Host, problem ?? outcome);
        _meters.Web(outcome);
        return error;
    }

    bool TryBegin(Uri browser)
    {
        lock (_lock)
        {
            int count = _underWay.GetValueOrDefault(browser);
            if (_count >= UnderWayMax || count >= UnderWayPerBrowserMax) return false;
            _underWay[browser] = count + 1;
            _count++;
            return true;
        }
    }

    void End(Uri browser)
    {
        lock (_lock)
        {
            _count--;
            if (_underWay[browser] == 1) _underWay.Remove(browser);
            else _underWay[browser]--;
        }
    }
}
