using Muster.Protocol.Addresses;

namespace Muster.Protocol.Sasl;

/// <summary>PLAIN (RFC 4616), checked against stored SCRAM keys: the password is in memory for the exchange
/// alone.</summary>
sealed class PlainServer(SaslMechanism mechanism, SaslOffer offer, SaslInputs inputs)
    : SaslExchange(mechanism, offer.Domain)
{
    Plain? _message;
    Jid _user;

    private protected override SaslStep ReceiveMessage(byte[] message) =>
        Plain.TryParse(message, out _message)
            ? AskSecret(_message.Username, null, out _user)
            : Fail(SaslFailure.MalformedRequest);

    private protected override SaslStep ReceiveSecret(ScramSecret? secret)
    {
        var message = _message!;
        _message = null;
        // An unknown user costs the same time as a known one.
        secret ??= ScramSecret.Fake(ScramHash.Sha256, _user, inputs.Pepper.Span, inputs.Iterations);
        return secret.Verify(message.Password, inputs.Proved)
            ? Succeed(_user, message.Authzid)
            : Fail(SaslFailure.NotAuthorized);
    }
}
