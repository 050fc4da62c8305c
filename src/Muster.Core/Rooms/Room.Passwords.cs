using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Passwords that another service checks (http_auth_pool, muc.md §17): the room goes on while the answer is pending.
public sealed partial class Room
{
    /// <summary>Enterings that may wait for an answer at a time; one more is refused.</summary>
    const int ChecksMax = 1000;

    static readonly StanzaError TooManyChecks =
        StanzaError.ResourceConstraint.WithText("Too many are waiting to enter");
    static readonly StanzaError CheckFailed = StanzaError.ServiceUnavailable.WithText("Internal server error");

    readonly Dictionary<Jid, PendingEntry> _checks = [];
    long _attempts;

    sealed record PendingEntry(Presence Presence, SenderFacts Facts, long Attempt);

    /// <summary>True while somebody waits for the answer about a password: the object must be kept, even before the
    /// room
    /// <see cref="Exists"/>.</summary>
    public bool IsWaiting => _checks.Count > 0;

    bool IsCheckedElsewhere(in SenderFacts facts) =>
        Policy.ExternalPasswords && _options.PasswordProtected && !facts.IsServiceAdmin;

    StanzaError? AskForCheck(Presence presence, string? password, in RoomInput input, List<RoomEffect> effects)
    {
        if (password is null) return PasswordRequired;
        if (_checks.Count >= ChecksMax && !_checks.ContainsKey(presence.From)) return TooManyChecks;
        // A second attempt of the same session counts instead of its first.
        _checks[presence.From] = new PendingEntry(presence, input.Sender, ++_attempts);
        effects.Add(new RoomEffect.CheckPassword(presence.From, password, _attempts));
        return null;
    }

    void ReceiveCheck(RoomEvent.PasswordChecked answer, in RoomInput input, List<RoomEffect> effects)
    {
        // Who left meanwhile, or asked again, does not enter by this answer.
        if (!_checks.TryGetValue(answer.Session, out var pending) || pending.Attempt != answer.Attempt) return;
        _checks.Remove(answer.Session);
        var refusal = answer.Code switch
        {
            0 => null,
            { } code => StanzaError.NotAuthorized.WithText($"{code} {answer.Text}".TrimEnd()),
            null => CheckFailed,
        };
        var presence = pending.Presence;
        if (refusal is null && !_occupants.TryFind(presence.From, out _))
        {
            // Everything is checked anew: the room went on while the answer was pending.
            var again = new RoomInput(presence, input.Now, input.NextId, pending.Facts);
            refusal = Enter(presence, presence.Child(Namespaces.Muc, "x")!, isChecked: true, again, effects);
        }
        if (refusal is not null) Refuse(presence, refusal, effects);
    }
}
