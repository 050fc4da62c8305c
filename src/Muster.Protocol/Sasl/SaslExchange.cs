using Muster.Protocol.Addresses;

namespace Muster.Protocol.Sasl;

/// <summary>What a SASL exchange asks of the one who drives it.</summary>
public abstract record SaslStep
{
    SaslStep() { }

    /// <summary>Send this to the client and hand its answer to <see cref="SaslExchange.Continue"/>.</summary>
    /// <param name="Data">The message, not yet in base64; may be empty.</param>
    public sealed record Challenge(byte[] Data) : SaslStep;

    /// <summary>Load the user's secret and hand it to <see cref="SaslExchange.Supply"/>; null when there is no such
    /// account, which the client cannot tell from a wrong password.</summary>
    /// <param name="User">Bare JID of the account.</param>
    /// <param name="Hash">The hash that the secret must have, or null when any will do.</param>
    public sealed record NeedSecret(Jid User, ScramHash? Hash) : SaslStep;

    /// <summary>Authenticated, and authorised to act as this account.</summary>
    /// <param name="User">Bare JID of the account. After EXTERNAL the caller still has to check that it exists.</param>
    /// <param name="Data">Additional data for the client, not yet in base64, or null when there is none.</param>
    public sealed record Success(Jid User, byte[]? Data = null) : SaslStep;

    /// <summary>The end of it.</summary>
    public sealed record Failure(SaslFailure Reason) : SaslStep;
}

/// <summary>
/// The server's side of one authentication (RFC 4422 §3): messages in, messages out. It knows nothing of XML and
/// base64, so
/// that the profiles of RFC 6120 and XEP-0388 drive the same exchange.
/// </summary>
/// <remarks>
/// Call <see cref="Start"/> once; after a Challenge <see cref="Continue"/>; after a NeedSecret <see cref="Supply"/>;
/// after
/// Success or Failure nothing. Another order is a bug of the caller and throws <see cref="InvalidOperationException"/>.
/// </remarks>
public abstract class SaslExchange
{
    /// <summary>A longer message from the client is malformed. Far above what names, nonces and bindings
    /// need.</summary>
    public const int MessageBytesMax = 8192;

    enum State { Fresh, AwaitsResponse, AwaitsSecret, Finished }

    readonly Jid _domain;
    State _state;

    private protected SaslExchange(SaslMechanism mechanism, Jid domain)
    {
        Mechanism = mechanism;
        _domain = domain;
    }

    /// <summary>The mechanism in use.</summary>
    public SaslMechanism Mechanism { get; }

    /// <summary>Begins.</summary>
    /// <param name="initialResponse">What came with the choice of the mechanism; null when nothing came, empty when an
    /// empty message came ("=", RFC 6120 §6.4.2).</param>
    public SaslStep Start(byte[]? initialResponse)
    {
        Expect(State.Fresh);
        // RFC 4422 §3.3: in all our mechanisms the client speaks first; when it did not yet, an empty challenge asks.
        return Enter(initialResponse is null ? new SaslStep.Challenge([]) : Receive(initialResponse));
    }

    /// <summary>Takes the client's answer to a challenge.</summary>
    public SaslStep Continue(byte[] response)
    {
        Expect(State.AwaitsResponse);
        return Enter(Receive(response));
    }

    /// <summary>Takes the secret that was asked for, or null when the account or a secret of that hash is missing.
    /// After PLAIN this computes PBKDF2, some milliseconds of processor time: call it where that blocks
    /// nobody.</summary>
    public SaslStep Supply(ScramSecret? secret)
    {
        Expect(State.AwaitsSecret);
        return Enter(ReceiveSecret(secret));
    }

    private protected abstract SaslStep ReceiveMessage(byte[] message);

    private protected abstract SaslStep ReceiveSecret(ScramSecret? secret);

    private protected static SaslStep Fail(SaslFailure failure) => new SaslStep.Failure(failure);

    /// <summary>Asks for the secret of a user by the simple user name, the local part of the JID (RFC 6120
    /// §6.3.7).</summary>
    private protected SaslStep AskSecret(string username, ScramHash? hash, out Jid user) =>
        // RFC 8265 §3.3 replaces SASLprep for user names. A name that no account can have is as good as a wrong
        // password.
        Jid.TryCreate(username, _domain.ToString(), null, out user)
            ? new SaslStep.NeedSecret(user, hash)
            : Fail(SaslFailure.NotAuthorized);

    /// <summary>Ends an exchange in which the client proved who it is; authorises it to act as itself alone.</summary>
    /// <param name="user">Who it is.</param>
    /// <param name="authzid">As whom it wants to act; null or empty for itself.</param>
    /// <param name="data">Additional data, or null.</param>
    private protected static SaslStep Succeed(Jid user, string? authzid, byte[]? data = null)
    {
        // RFC 6120 §6.3.8: the authorisation identity is a bare JID; nobody may act for another here (§6.5.6).
        if (!string.IsNullOrEmpty(authzid) && !(Jid.TryParse(authzid, out var wanted) && wanted == user))
            return Fail(SaslFailure.InvalidAuthzid);
        return new SaslStep.Success(user, data);
    }

    SaslStep Receive(byte[] message) =>
        message.Length > MessageBytesMax ? Fail(SaslFailure.MalformedRequest) : ReceiveMessage(message);

    SaslStep Enter(SaslStep step)
    {
        _state = step switch
        {
            SaslStep.Challenge => State.AwaitsResponse,
            SaslStep.NeedSecret => State.AwaitsSecret,
            _ => State.Finished,
        };
        return step;
    }

    void Expect(State state)
    {
        if (_state != state) throw new InvalidOperationException($"SASL exchange is {_state}, not {state}");
    }
}
