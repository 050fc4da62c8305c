using System.Globalization;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

// How much is said here (XEP-0502): messages of the last day by the hour, counted as they are shown.
public sealed partial class Room
{
    const string ActivityVar = "{urn:xmpp:muc-activity}message-activity";
    const int HoursMax = 24;

    readonly int[] _saidByHour = new int[HoursMax]; // by the hour since the beginning of time, modulo
    long _saidHour;                                 // the newest hour counted

    /// <summary>Messages an hour, on an average of the last day or, in a younger room, of its life; null where it is
    /// not for everybody: XEP-0502 §4 and §8.</summary>
    string? Activity(DateTimeOffset now)
    {
        bool isForAll = _options is { Persistent: true, Public: true, MembersOnly: false, PasswordProtected: false };
        if (!isForAll) return null;
        AdvanceTo(now);
        double hours = Math.Clamp((now - _createdAt).TotalHours, 1, HoursMax);
        return (_saidByHour.Sum() / hours).ToString("F2", CultureInfo.InvariantCulture);
    }

    /// <summary>Counts a message with a body that is no correction of an earlier one (XEP-0502 §5).</summary>
    void CountActivity(Message message, DateTimeOffset at)
    {
        if (message.Child("body") is null) return;
        if (message.Child("urn:xmpp:message-correct:0", "replace") is not null) return;
        AdvanceTo(at);
        _saidByHour[_saidHour % HoursMax]++;
    }

    void AdvanceTo(DateTimeOffset now)
    {
        long hour = now.UtcTicks / TimeSpan.TicksPerHour;
        for (long passed = Math.Max(_saidHour + 1, hour - HoursMax + 1); passed <= hour; passed++)
            _saidByHour[passed % HoursMax] = 0;
        _saidHour = Math.Max(_saidHour, hour);
    }
}
