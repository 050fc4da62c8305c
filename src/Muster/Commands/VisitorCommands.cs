using System.CommandLine;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary>The part of <c>muster room</c> that does something for a user, as that user's client would.</summary>
static class VisitorCommands
{
    /// <summary>Makes the commands.</summary>
    public static IEnumerable<Command> Create(CommandLine line) =>
        [MakeRole(line), MakeInvite(line), MakeEnter(line), MakeLeave(line), MakeTell(line)];

    static Command MakeRole(CommandLine line)
    {
        var role = new Argument<string>("ROLE") { Description = "moderator, participant, visitor or none" };
        return line.Make("role", "Give somebody who is inside a role", async call =>
        {
            await using var admin = await call.ConnectAsync();
            await admin.SendAsync(HttpMethod.Put, OccupantOf(call) + "/role",
                new RoleChange(call.Get(role), call.Get(RoomCommands.Reason)));
            call.SayDone($"{call.Get(Nick)} is {call.Get(role)} in {call.Get(RoomCommands.Room)}");
        }, RoomCommands.Room, Nick, role, RoomCommands.Reason);
    }

    static Command MakeInvite(CommandLine line)
    {
        var from = new Argument<string>("FROM") { Description = "The account that invites" };
        var to = new Argument<string>("TO") { Description = "Who is invited" };
        return line.Make("invite", "Have a user invite another to a room", async call =>
        {
            await using var admin = await call.ConnectAsync();
            await admin.SendAsync(HttpMethod.Post, RoomCommands.PathOf(call) + "/invitations",
                new RoomInvitation(call.Get(from), call.Get(to), call.Get(RoomCommands.Reason)));
            call.SayDone($"{call.Get(from)} has invited {call.Get(to)} to {call.Get(RoomCommands.Room)}");
        }, RoomCommands.Room, from, to, RoomCommands.Reason);
    }

    static Command MakeEnter(CommandLine line)
    {
        var password = RoomCommands.Text("--password", "The password of the room", "TEXT");
        return line.Make("enter", "Have a session enter a room", async call =>
        {
            await using var admin = await call.ConnectAsync();
            await admin.SendAsync(HttpMethod.Post, RoomCommands.PathOf(call) + "/occupants",
                new RoomEntrance(call.Get(Session), call.Get(Nick), call.Get(password)));
            call.SayDone($"{call.Get(Session)} has entered {call.Get(RoomCommands.Room)} as {call.Get(Nick)}");
        }, RoomCommands.Room, Session, Nick, password);
    }

    static Command MakeLeave(CommandLine line) => line.Make("leave", "Have a session leave a room", async call =>
    {
        await using var admin = await call.ConnectAsync();
        await admin.SendAsync(HttpMethod.Delete,
            RoomCommands.PathOf(call) + AdminClient.PathOf("/sessions/{0}", call.Get(Session)));
        call.SayDone($"{call.Get(Session)} has left {call.Get(RoomCommands.Room)}");
    }, RoomCommands.Room, Session);

    static Command MakeTell(CommandLine line)
    {
        var text = new Argument<string>("TEXT") { Description = "What to say" };
        return line.Make("tell", "Say something to one inside, for a session that is inside", async call =>
        {
            await using var admin = await call.ConnectAsync();
            await admin.SendAsync(HttpMethod.Post, OccupantOf(call) + "/messages",
                new PrivateSpeech(call.Get(Session), call.Get(text)));
            call.SayDone($"told {call.Get(Nick)} in {call.Get(RoomCommands.Room)}");
        }, RoomCommands.Room, Session, Nick, text);
    }

    static readonly Argument<string> Nick = new("NICK") { Description = "The nick in the room" };

    static readonly Argument<string> Session =
        new("SESSION") { Description = "Whose session: an account, a / and a resource" };

    static string OccupantOf(Invocation call) =>
        RoomCommands.PathOf(call) + AdminClient.PathOf("/occupants/{0}", call.Get(Nick));
}
