using Microsoft.Extensions.Logging;
using Muster.Core.Limits;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Archives;
using Muster.Server.Features;
using Muster.Server.Features.Push;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <summary>
/// The domains of accounts of this process: takes what their clients send (RFC 6120 §10.3) and what anybody sends to
/// their accounts (RFC 6121 §8). One object serves them all, as an account is found by its whole JID.
/// </summary>
/// <remarks>
/// A message to somebody who is there takes no lock but the leaf lock of the session it is written to, and never asks
/// the store for anything: it only waits until <see cref="AccountArchive"/> has it, where it is archived. What changes
/// an account or needs the store happens in the account's turn (see <see cref="AccountTurns"/>), and what it sends to
/// others is routed after the turn.
/// </remarks>
sealed partial class LocalDomain : IStanzaTarget, IClientHost
{
    readonly Router _router;
    readonly AccountStates _accounts;
    readonly SessionTable _sessions;
    readonly AccountPolicy _policy;
    readonly TimeProvider _clock;
    readonly AccountMeters _meters;
    readonly SmMeters _smMeters;
    readonly ResumableSessions _resumable;
    readonly ILogger _log;
    readonly AccountArchive? _archive;
    readonly JoinWatch _joins;
    readonly PushService _pushService;
    IqTable? _iqTable;
    IReadOnlyList<Func<Session, Presence, ValueTask>> _firstAvailable = [];
    IReadOnlyList<Func<Jid, Presence, ValueTask<bool>>> _approvals = [];
    long _pushes;

    /// <summary>Makes the target; it answers no iq before <see cref="Connect"/>.</summary>
    /// <param name="router">Where stanzas go.</param>
    /// <param name="accounts">What is known of accounts.</param>
    /// <param name="archive">Where messages are kept before they are delivered; null: nowhere.</param>
    /// <param name="limits">The bounds in force.</param>
    /// <param name="policy">What depends on whose account it is.</param>
    /// <param name="resumable">The sessions whose streams are managed.</param>
    /// <param name="joins">Looks after sessions in rooms of other servers.</param>
    /// <param name="pushes">Wakes devices that are away.</param>
    /// <param name="clock">The time.</param>
    /// <param name="meters">What is counted.</param>
    /// <param name="logs">Where to log.</param>
    public LocalDomain(Router router, AccountStates accounts, AccountArchive? archive, ServerLimits limits,
        AccountPolicy policy, ResumableSessions resumable, JoinWatch joins, PushService pushes, TimeProvider clock,
        Meters meters, ILoggerFactory logs)
    {
        _router = router;
        _accounts = accounts;
        _sessions = accounts.Sessions;
        _archive = archive;
        Limits = limits;
        _policy = policy;
        _clock = clock;
        _meters = meters.Accounts;
        _smMeters = meters.Management;
        _resumable = resumable;
        _joins = joins;
        _pushService = pushes;
        _resumable.EndExpired = session => EndWaiting(session, "timeout");
        _resumable.AnswerFor = AnswerForLost;
        _log = logs.CreateLogger<LocalDomain>();
    }

    /// <summary>Gives it what the features registered; called once at start.</summary>
    public void Connect(IqTable table, Slots slots)
    {
        _iqTable = table;
        _firstAvailable = slots.FirstAvailable;
        _approvals = slots.Approvals;
        _inlineBinds = slots.InlineBinds;
    }

    /// <summary>Looks after sessions in rooms of other servers.</summary>
    public JoinWatch Joins => _joins;

    /// <summary>The sessions whose streams are managed.</summary>
    public ResumableSessions Resumable => _resumable;

    /// <summary>The bounds in force; a reload of the configuration replaces them.</summary>
    public ServerLimits Limits { get; set; }

    /// <inheritdoc/>
    public async ValueTask<(Session? Session, StanzaError? Refusal)> Bind(
        Jid account, string? resource, SessionLink link, string connectionId, string? client = null)
    {
        // RFC 6120 §7.6.1: unpredictable, as it may be the only thing that others do not know of the address.
        if (!account.TryWithResource(resource ?? RandomText.Create(12), out var full))
            return (null, StanzaError.BadRequest.WithText("this is no valid resource"));
        Session session;
        Session[] replaced;
        using (var turn = await _accounts.Take(account))
        {
            // Removed since it authenticated.
            if (!turn.Exists) return (null, StanzaError.NotAllowed.WithText("there is no such account any more"));
            session = new Session(full, link, connectionId) { Client = client, Blocked = turn.State.Blocked };
            int max = _policy.SessionsMax(account);
            if (_sessions.Bind(session, turn.State, max, out replaced) == BindOutcome.TooMany)
            {
                _meters.SessionRefused();
                AccountsLog.TooManySessions(_log, account, max);
                return (null, StanzaError.ResourceConstraint.WithText($"an account may have {max} sessions"));
            }
        }
        // RFC 6120 §7.7.2.2: the newer login wins. The world sees the older session go before the newer comes.
        foreach (var older in replaced)
            if (older.End(StreamError.Conflict)) await Leave(older, "replaced");
        await WhenLeft(full);
        return (session, null);
    }

    /// <inheritdoc/>
    public async ValueTask Receive(Session session, Stanza stanza)
    {
        try
        {
            await Take(session, stanza);
            // Ended meanwhile, by another login or an administrator: what was shown after that end has to end as well.
            if (stanza is Presence { Type: PresenceType.Available } shown && !session.IsAlive)
                await Retract(session, shown);
        }
        catch (StorageException e)
        {
            await Fail(stanza, e);
        }
    }

    /// <summary>Ends a session, however it is connected.</summary>
    public async ValueTask End(Session session)
    {
        if (session.End(null)) await Leave(session);
    }

    /// <inheritdoc/>
    public async ValueTask End(Session session, SessionLink link)
    {
        // The client has said goodbye, or cannot be talked with: there is nothing to come back to.
        if (session.End(null, link)) await Leave(session, isForgotten: true);
    }

    /// <summary>Ends a session whose client is told why. False when it had ended already.</summary>
    public async ValueTask<bool> End(Session session, StreamError error)
    {
        if (!session.End(error)) return false;
        await Leave(session, isForgotten: true);
        return true;
    }

    /// <summary>Ends all sessions of an account that was removed or locked; those too that are being bound while it
    /// does, which cannot be many, as nobody can log in any more.</summary>
    public async ValueTask EndAll(Jid account, StreamError error)
    {
        for (int pass = 0; pass < 10 && _sessions.Find(account) is { } online; pass++)
            foreach (var session in online.Snapshot)
                await End(session, error);
        _pushService.Registrations.Forget(account.Bare);
    }

    /// <inheritdoc/>
    public ValueTask Route(Stanza stanza)
    {
        var routed = stanza switch
        {
            Message message => RouteMessage(message, null),
            Presence presence => RoutePresence(presence),
            Iq iq => RouteIq(iq),
            _ => default,
        };
        return routed.IsCompletedSuccessfully ? routed : Guard(routed, stanza);
    }

    /// <summary>Whether an address belongs to one of the domains of accounts of this process.</summary>
    public bool Serves(Jid address) => ReferenceEquals(_router.Find(address), this);

    async ValueTask Guard(ValueTask routed, Stanza stanza)
    {
        try
        {
            await routed;
        }
        catch (StorageException e)
        {
            await Fail(stanza, e);
        }
    }

    // A store that failed must not end the sender's stream: the stanza is refused, so its sender knows that it is lost.
    ValueTask Fail(Stanza stanza, StorageException e)
    {
        _meters.StoreFailed();
        AccountsLog.StoreFailed(_log, stanza.Name, stanza.From, stanza.To, e.Message);
        var error = e.Fault is StorageFault.Unavailable or StorageFault.Full
            ? StanzaError.ResourceConstraint
            : StanzaError.InternalServerError;
        return stanza.To.IsNone && stanza.From.IsFull
            ? Refuse(stanza.Readdressed(stanza.From, stanza.From.Bare), error)
            : Refuse(stanza, error);
    }

    ValueTask Take(Session session, Stanza stanza)
    {
        if (stanza.To.IsNone)
        {
            if (stanza is Presence own) return TakeOwnPresence(session, own);
            // RFC 6120 §10.3.1, §10.3.3: without an address it is for the sender's own account.
            stanza = stanza.Readdressed(stanza.From, session.Account);
        }
        // XEP-0191 §3.3 #block: nothing goes to whom the user blocks, and the client is told so.
        if (session.IsBlocked(stanza.To))
        {
            if (MayBeAnswered(stanza)) session.Answer(stanza.Refuse(BlockedError));
            return default;
        }
        return stanza switch
        {
            Presence presence => TakePresence(session, presence),
            Message message => TakeMessage(session, message),
            _ => _router.Route(stanza),
        };
    }

    ValueTask Refuse(Stanza stanza, StanzaError error) =>
        MayBeAnswered(stanza) ? _router.Refuse(stanza, error) : default;

    // RFC 6120 §8.2.3, §8.3.1: errors and answers are never answered; a probe is answered with presence or not at all.
    static bool MayBeAnswered(Stanza stanza) =>
        !stanza.IsError && stanza is not (Iq { IsRequest: false } or Presence { Type: PresenceType.Probe });

    // The session is out of the table before anybody hears of it, so that nothing more is delivered to it.
    async ValueTask Leave(Session session, string reason = "ended", bool isForgotten = false)
    {
        var online = _sessions.Find(session.Account);
        _sessions.Unbind(session);
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (!_leaving.TryAdd(session.Jid, left.Task)) await WhenLeft(session.Jid);
        try
        {
            await KeepLastCount(session, isForgotten);
            _resumable.Remove(session, reason);
            // Rooms get back what did not arrive before they hear of the absence: they see a ghost (muc.md §9).
            await AnswerFor(session, session.TakeUnacknowledged());
            var state = online?.State ?? await _accounts.Load(session.Account) ?? AccountState.Empty;
            await BecomeUnavailable(session, new Presence(PresenceType.Unavailable, session.Jid, Jid.None, null),
                state);
        }
        catch (StorageException e)
        {
            AccountsLog.StoreFailed(_log, "presence", session.Jid, Jid.None, e.Message);
        }
        finally
        {
            _leaving.TryRemove(session.Jid, out _);
            left.SetResult();
        }
    }
}
