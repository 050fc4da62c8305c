using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using Muster.Protocol.Addresses;

namespace Muster.Protocol.Sasl;

/// <summary>The server's side of SCRAM (RFC 5802, RFC 7677), with and without channel binding.</summary>
/// <remarks>
/// <code>
/// C: n,,n=user,r=CNONCE                        client-first
/// S: r=CNONCE SNONCE,s=SALT,i=ITERATIONS       server-first
/// C: c=biws,r=CNONCE SNONCE,p=PROOF            client-final
/// S: v=SIGNATURE                               server-final
/// </code>
/// Until client-final nothing that is said depends on whether the account exists, and there an unknown user fails as a
/// wrong password does.
/// </remarks>
sealed class ScramServer : SaslExchange
{
    const int NonceCharsMax = 512, ServerNonceCharsMin = 18;

    readonly ScramHash _hash;
    readonly SaslOffer _offer;
    readonly SaslInputs _inputs;
    Jid _user;
    ScramSecret? _secret;
    bool _isFake;
    byte[]? _bindingData;
    string _nonce = "", _gs2Header = "", _clientFirstBare = "", _serverFirst = "";
    string? _authzid;

    internal ScramServer(SaslMechanism mechanism, ScramHash hash, SaslOffer offer, SaslInputs inputs)
        : base(mechanism, offer.Domain)
    {
        if (inputs.ServerNonce.Length < ServerNonceCharsMin || !IsNonce(inputs.ServerNonce))
            throw new ArgumentException("The nonce must be printable ASCII of some length", nameof(inputs));
        _hash = hash;
        _offer = offer;
        _inputs = inputs;
    }

    private protected override SaslStep ReceiveMessage(byte[] message)
    {
        if (!Utf8.IsValid(message) || message.Contains((byte)0)) return Fail(SaslFailure.MalformedRequest);
        string text = Encoding.UTF8.GetString(message);
        return _serverFirst.Length == 0 ? ReceiveFirst(text) : ReceiveFinal(text);
    }

    private protected override SaslStep ReceiveSecret(ScramSecret? secret)
    {
        if (secret is not null && secret.Hash != _hash)
            throw new ArgumentException($"A secret of {_hash} was asked for", nameof(secret));
        _isFake = secret is null;
        _secret = secret ?? ScramSecret.Fake(_hash, _user, _inputs.Pepper.Span, _inputs.Iterations);
        _serverFirst = $"r={_nonce},s={Convert.ToBase64String(_secret.Salt)},i={_secret.Iterations}";
        return new SaslStep.Challenge(Encoding.UTF8.GetBytes(_serverFirst));
    }

    // RFC 5802 §7: client-first-message = gs2-cbind-flag "," [authzid] "," username "," nonce ["," extensions]
    SaslStep ReceiveFirst(string text)
    {
        string[] fields = text.Split(',');
        if (fields.Length < 4) return Fail(SaslFailure.MalformedRequest);
        if (CheckBindingFlag(fields[0]) is { } refusal) return Fail(refusal);
        // RFC 5802 §5.1: "m=" asks for an extension without which the client does not want to go on.
        if (fields[2].StartsWith("m=", StringComparison.Ordinal))
            return Fail(SaslFailure.MalformedRequest.WithText("Extensions are not supported"));
        if (!TryAuthzid(fields[1], out _authzid) || !TryName(fields[2], 'n', out string username) ||
            !TryValue(fields[3], 'r', out string nonce) || nonce.Length > NonceCharsMax || !IsNonce(nonce) ||
            !AreExtensions(fields.AsSpan(4)))
            return Fail(SaslFailure.MalformedRequest);

        _gs2Header = $"{fields[0]},{fields[1]},";
        _clientFirstBare = text[_gs2Header.Length..];
        _nonce = nonce + _inputs.ServerNonce;
        return AskSecret(username, _hash, out _user);
    }

    // RFC 5802 §7: client-final-message = channel-binding "," nonce ["," extensions] "," proof
    SaslStep ReceiveFinal(string text)
    {
        string[] fields = text.Split(',');
        if (fields.Length < 3 || !AreExtensions(fields.AsSpan(2..^1)) ||
            !TryValue(fields[0], 'c', out string binding) || !TryValue(fields[1], 'r', out string nonce) ||
            !TryValue(fields[^1], 'p', out string proofText) ||
            !SaslBase64.TryDecode(binding, out byte[]? bindingData) ||
            !SaslBase64.TryDecode(proofText, out byte[]? proof) || proof.Length != _hash.Size())
            return Fail(SaslFailure.MalformedRequest);

        // All three are always checked, so that time does not say which one was wrong.
        bool bound = bindingData.AsSpan().SequenceEqual(ExpectedBinding());
        bool fresh = string.Equals(nonce, _nonce, StringComparison.Ordinal);
        int withoutProof = text.Length - fields[^1].Length - 1;
        byte[] authMessage = Encoding.UTF8.GetBytes($"{_clientFirstBare},{_serverFirst},{text[..withoutProof]}");
        bool proved = IsProof(proof, authMessage) && !_isFake;
        if (!bound || !fresh || !proved) return Fail(SaslFailure.NotAuthorized);

        byte[] signature = _hash.Hmac(_secret!.ServerKey, authMessage);
        return Succeed(_user, _authzid, Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(signature)));
    }

    // RFC 5802 §3: ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage), and H(ClientKey) is the StoredKey.
    bool IsProof(byte[] proof, byte[] authMessage)
    {
        byte[] clientKey = _hash.Hmac(_secret!.StoredKey, authMessage);
        for (int i = 0; i < clientKey.Length; i++) clientKey[i] ^= proof[i];
        return CryptographicOperations.FixedTimeEquals(_hash.Digest(clientKey), _secret.StoredKey);
    }

    /// <summary>RFC 5802 §6: what the flag may be for the chosen mechanism and what was offered.</summary>
    SaslFailure? CheckBindingFlag(string flag) => flag switch
    {
        "n" when !Mechanism.Binds => null,
        // The client can bind and thinks that we cannot: somebody took the -PLUS mechanisms out of our offer.
        "y" when !Mechanism.Binds => _offer.HasBinding
            ? SaslFailure.NotAuthorized.WithText("The server does support channel binding")
            : null,
        ['p', '=', .. var type] when Mechanism.Binds => (_bindingData = _offer.BindingData(type)) is not null
            ? null
            : SaslFailure.NotAuthorized.WithText("Unsupported channel binding type"),
        _ => SaslFailure.MalformedRequest,
    };

    /// <summary>RFC 5802 §7 cbind-input: the header of client-first, and with -PLUS the data of the binding.</summary>
    byte[] ExpectedBinding() =>
        [.. Encoding.UTF8.GetBytes(_gs2Header), .. Mechanism.Binds ? _bindingData! : []];

    static bool TryAuthzid(string field, out string? authzid)
    {
        authzid = null;
        if (field.Length == 0) return true;
        bool valid = TryName(field, 'a', out string name);
        authzid = name;
        return valid;
    }

    /// <summary>Reads an attribute that holds a saslname (RFC 5802 §5.1): "=2C" is a comma, "=3D" an equals sign, and
    /// no
    /// other "=" may stand there.</summary>
    static bool TryName(string field, char attribute, out string name)
    {
        if (!TryValue(field, attribute, out name)) return false;
        for (int at = name.IndexOf('='); at >= 0; at = name.IndexOf('=', at + 1))
        {
            var escape = name.AsSpan(at, Math.Min(3, name.Length - at));
            if (escape is not ("=2C" or "=3D")) return false;
        }
        // In this order an escaped "=2C", which is written "=3D2C", does not become a comma.
        name = name.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
        return true;
    }

    /// <summary>Reads "x=value" for a given x; the value is never empty.</summary>
    static bool TryValue(string field, char attribute, out string value)
    {
        bool valid = field.Length > 2 && field[0] == attribute && field[1] == '=';
        value = valid ? field[2..] : "";
        return valid;
    }

    /// <summary>RFC 5802 §5.1: unknown attributes are ignored. Those that the protocol itself defines must not come
    /// back in
    /// their place, nor may one come twice.</summary>
    static bool AreExtensions(ReadOnlySpan<string> fields)
    {
        const string Defined = "anmrcsipve";
        var seen = new HashSet<char>();
        foreach (string field in fields)
        {
            if (field.Length < 3 || field[1] != '=' || !char.IsAsciiLetter(field[0])) return false;
            if (Defined.Contains(field[0], StringComparison.Ordinal) || !seen.Add(field[0])) return false;
        }
        return true;
    }

    /// <summary>RFC 5802 §7 printable: visible ASCII without comma.</summary>
    static bool IsNonce(string text)
    {
        foreach (char c in text)
            if (c is < '!' or > '~' or ',') return false;
        return text.Length > 0;
    }
}
