using System.Collections.Immutable;
using System.Globalization;
using Muster.Core.Rooms;
using Muster.Protocol.Payloads;

namespace Muster.Core.RoomLogs;

/// <summary>What pages and plain text say in the same words.</summary>
static class RoomLogWords
{
    /// <summary>"Friday, March 4, 2024".</summary>
    public static string Date(DateTimeOffset at) => at.ToString("dddd, MMMM d, yyyy", CultureInfo.InvariantCulture);

    public static string Time(DateTimeOffset at) => at.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>"GMT+2", "GMT-3:30".</summary>
    public static string Zone(DateTimeOffset at)
    {
        var offset = at.Offset.Duration();
        string minutes = offset.Minutes == 0 ? ""
            : string.Create(CultureInfo.InvariantCulture, $":{offset.Minutes:00}");
        return string.Create(CultureInfo.InvariantCulture,
            $"GMT{(at.Offset < TimeSpan.Zero ? '-' : '+')}{offset.Hours}{minutes}");
    }

    /// <summary>What an event says after the nick, or of the room, without the reason.</summary>
    public static string Of(RoomLogEvent line) => line switch
    {
        RoomLogEvent.Created => "The room was created",
        RoomLogEvent.Started => "The room was started",
        RoomLogEvent.Stopped => "The room was stopped",
        RoomLogEvent.Destroyed => "The room was destroyed",
        RoomLogEvent.Joined => "joins the room",
        RoomLogEvent.Left { Code: MucStatus.Kicked } => "has been kicked",
        RoomLogEvent.Left { Code: MucStatus.Banned } => "has been banned",
        RoomLogEvent.Left { Code: MucStatus.AffiliationLost } => "has been kicked because of an affiliation change",
        RoomLogEvent.Left { Code: MucStatus.NowMembersOnly } =>
            "has been kicked because the room is for members only now",
        RoomLogEvent.Left { Code: MucStatus.Shutdown } => "has been kicked because the service shuts down",
        RoomLogEvent.Left => "leaves the room",
        RoomLogEvent.Renamed => "is now known as",
        RoomLogEvent.SubjectSet { Nick: "" } => "The subject was set to:",
        RoomLogEvent.SubjectSet { Text: "" } => "has removed the subject",
        RoomLogEvent.SubjectSet => "has set the subject to:",
        RoomLogEvent.Configured { Before.Logging: false } => "The public log begins",
        RoomLogEvent.Configured { After.Logging: false } => "The public log ends",
        RoomLogEvent.Configured => "The configuration was changed",
        _ => "",
    };

    /// <summary>What a change of the configuration changed: "Name of the room: Garden". Of a secret only that it
    /// changed.</summary>
    public static string Changes(RoomLogEvent.Configured change) => string.Join("; ",
        change.After.ChangesFrom(change.Before).Where(option => option.Name != "logging").Select(option =>
            option.Kind == RoomOptionKind.Secret ? option.Label : $"{option.Label}: {Value(option, change.After)}"));

    /// <summary>An option's value for people.</summary>
    public static string Value(RoomOption option, RoomOptions options)
    {
        // A public page never has a password (muc.md §19).
        if (option.Kind == RoomOptionKind.Secret) return "";
        var values = option.Read(options);
        return option.Kind switch
        {
            RoomOptionKind.Flag => values[0] == "1" ? "yes" : "no",
            RoomOptionKind.Choice or RoomOptionKind.Set =>
                values.IsEmpty ? "none" : string.Join(", ", values.Select(value => Label(option, value))),
            _ => values.IsEmpty || values[0].Length == 0 ? "–" : values[0],
        };
    }

    /// <summary>Occupants as headed lists, the most powerful role first.</summary>
    public static IEnumerable<(string Heading, IEnumerable<string> Nicks)> ByRole(
        ImmutableArray<RoomLogOccupant> occupants) =>
        occupants.GroupBy(occupant => occupant.Role).OrderByDescending(group => group.Key).Select(group =>
            (group.Key + "s", group.Select(occupant => occupant.Nick)));

    static string Label(RoomOption option, string value)
    {
        foreach (var choice in option.Choices)
            if (choice.Value == value) return choice.Label ?? value;
        return value;
    }
}
