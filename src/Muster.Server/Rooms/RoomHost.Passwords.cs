using Muster.Core.Rooms;

namespace Muster.Server.Rooms;

/// <summary>What a password service said.</summary>
/// <param name="Code">0 for yes; null when there was no usable answer.</param>
/// <param name="Text">Text for people, or null.</param>
readonly record struct PasswordAnswer(int? Code, string? Text = null);

// Passwords that another service checks (muc.md §17): the room goes on, and the answer comes through its mailbox.
sealed partial class RoomHost
{
    async Task CheckPassword(RoomEffect.CheckPassword check)
    {
        PasswordAnswer answer = default;
        try
        {
            if (_service.Settings.CheckPassword is { } ask)
                answer = await ask(check.Session, Address, check.Password);
        }
#pragma warning disable CA1031 // Whatever happens, who waits must get an answer.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Telemetry.RoomsLog.CheckFailed(_service.Log, Address, error);
        }
        // A mailbox that is closed has no room any more, and who waited there has been answered.
        await Post(new RoomLetter(
            Event: new RoomEvent.PasswordChecked(check.Session, check.Attempt, answer.Code, answer.Text)));
    }
}
