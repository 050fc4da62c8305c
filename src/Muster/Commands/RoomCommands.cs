using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Muster.Core.Rooms;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary><c>muster room</c>: group chat rooms.</summary>
static class RoomCommands
{
    /// <summary>Which room.</summary>
    public static readonly Argument<string> Room = new("ROOM") { Description = "The room's address: name@service" };

    /// <summary>Why.</summary>
    public static readonly Option<string> Reason = Text("--reason", "What is told to those concerned", "TEXT");

    /// <summary>Makes the commands.</summary>
    public static Command Create(CommandLine line) => CommandLine.Group("room",
        "Rooms; works also while the server is stopped", [MakeList(line),
        line.Make("show", "Show a room, its options and who is inside", Show, Room), MakeCreate(line),
        MakeDestroy(line), MakeSet(line), MakeAffiliation(line), MakeKick(line), MakeSay(line), MakeHistory(line),
        .. VisitorCommands.Create(line)]);

    static Command MakeList(CommandLine line)
    {
        var service = Text("--service", "Only this room service", "DOMAIN");
        var text = Text("--text", "Only rooms with this in name or title", "TEXT");
        return line.Make("list", "List the rooms", async call =>
        {
            await using var admin = await call.ConnectAsync();
            var rooms = new List<RoomLineView>();
            string? after = null;
            do
            {
                var page = await admin.GetAsync<RoomPage>(AdminClient.WithQuery("/api/rooms",
                    ("service", call.Get(service)), ("text", call.Get(text)), ("after", after)));
                rooms.AddRange(page.Rooms);
                after = page.Next;
            }
            while (after is not null);
            if (call.Json)
            {
                call.WriteJson(new RoomPage([.. rooms], null));
                return;
            }
            call.Terminal.WriteTable(["room", "title", "listed", "kept", "inside"], rooms.Select(room => new[]
            {
                room.Jid, room.Title, YesNo(room.Public), YesNo(room.Persistent),
                room.InMemory ? Invocation.Text(room.Occupants) : "asleep",
            }));
        }, service, text);
    }

    static async Task Show(Invocation call)
    {
        await using var admin = await call.ConnectAsync();
        Show(call, await admin.GetTextAsync(PathOf(call)));
    }

    static void Show(Invocation call, string answer)
    {
        if (call.Json)
        {
            call.Out.WriteLine(answer);
            return;
        }
        var room = AdminClient.Read<RoomView>(answer);
        var facts = new List<(string, string)>
        {
            ("room", room.Jid + (room.Locked ? " (its owner has not configured it yet)" : "")),
            ("made", Invocation.Text(room.CreatedAt)),
        };
        if (room.SubjectAt is not null)
            facts.Add(("subject", $"{room.Subject} ({Author(room.SubjectAuthor)}, {Invocation.Text(room.SubjectAt)})"));
        facts.Add(("affiliations", Invocation.Text(room.Affiliations)));
        facts.AddRange(room.Options.Select(option => (option.Key, TextOf(option.Value))));
        facts.Add(("inside", Invocation.Text(room.Occupants.Length)));
        call.Terminal.WriteFacts(facts);
        if (room.Occupants.Length == 0) return;
        call.Out.WriteLine();
        call.Terminal.WriteTable(["nick", "session", "role", "affiliation"], room.Occupants.Select(occupant => new[]
        {
            occupant.Nick, occupant.Jid, occupant.Role, occupant.Affiliation,
        }));
    }

    static Command MakeCreate(CommandLine line)
    {
        var owner = Text("--owner", "The account that owns it", "JID");
        owner.Required = true;
        var options = new Option<string[]>("--set")
        {
            Description = "An option of the room, by its name in default_room of the configuration; may be repeated",
            HelpName = "NAME=VALUE",
        };
        return line.Make("create", "Make a room that stays", async call =>
        {
            var request = new RoomCreation(call.Get(Room), call.Get(owner)!, OptionsOf(call.Get(options) ?? []));
            await using var admin = await call.ConnectAsync();
            string answer = await admin.SendAsync(HttpMethod.Post, "/api/rooms", request);
            if (call.Json) call.Out.WriteLine(answer);
            else call.Say($"made {AdminClient.Read<RoomView>(answer).Jid}");
        }, Room, owner, options);
    }

    static Command MakeDestroy(CommandLine line)
    {
        var alternate = Text("--alternate", "The room to go to instead", "ROOM");
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask whether it is meant" };
        return line.Make("destroy", "Destroy a room with its messages", async call =>
        {
            string room = call.Get(Room);
            await using var admin = await call.ConnectAsync();
            if (!call.Get(yes) && !call.Terminal.Confirm($"Destroy {room} with its messages?"))
                throw new CommandException("nothing is destroyed");
            await admin.SendAsync(HttpMethod.Delete, AdminClient.WithQuery(PathOf(call),
                ("reason", call.Get(Reason)), ("alternate", call.Get(alternate))));
            call.SayDone($"destroyed {room}");
        }, Room, Reason, alternate, yes);
    }

    static Command MakeSet(CommandLine line)
    {
        var options = new Argument<string[]>("NAME=VALUE")
        {
            Description = "An option, by its name in default_room of the configuration; of several values, with commas",
            Arity = ArgumentArity.OneOrMore,
        };
        return line.Make("set", "Change options of a room", async call =>
        {
            var changes = OptionsOf(call.Get(options));
            await using var admin = await call.ConnectAsync();
            string answer = await admin.SendAsync(HttpMethod.Patch, PathOf(call), changes);
            if (call.Json)
            {
                call.Out.WriteLine(answer);
                return;
            }
            var now = AdminClient.Read<RoomOptionsView>(answer);
            foreach (string name in changes.Keys)
                call.Say(now.Options.TryGetValue(name, out var value) ? $"{name} = {TextOf(value)}" : $"{name} is set");
        }, Room, options);
    }

    static Command MakeAffiliation(CommandLine line)
    {
        var user = new Argument<string?>("USER")
        {
            Description = "Whom: an account, or a whole domain",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var affiliation = new Argument<string?>("AFFILIATION")
        {
            Description = "owner, admin, member, none or outcast",
            Arity = ArgumentArity.ZeroOrOne,
        };
        return line.Make("affiliation", "List who is what in a room, or make somebody something", async call =>
        {
            var (who, what) = (call.Parsed.GetValue(user), call.Parsed.GetValue(affiliation));
            if (who is not null && what is null)
            {
                throw new CommandException(
                    $"make {who} what? owner, admin, member, none or outcast", CommandLine.Misused);
            }
            await using var admin = await call.ConnectAsync();
            if (who is null)
            {
                List(call, await admin.GetTextAsync(PathOf(call) + "/affiliations"));
                return;
            }
            await admin.SendAsync(HttpMethod.Put, PathOf(call) + AdminClient.PathOf("/affiliations/{0}", who),
                new AffiliationChange(what!, call.Get(Reason)));
            call.SayDone($"{who} is {what} of {call.Get(Room)}");
        }, Room, user, affiliation, Reason);
    }

    static void List(Invocation call, string answer)
    {
        if (call.Json)
        {
            call.Out.WriteLine(answer);
            return;
        }
        call.Terminal.WriteTable(["address", "affiliation", "nick", "reason"],
            AdminClient.Read<AffiliationList>(answer).Affiliations.Select(entry => new[]
            {
                entry.Jid, entry.Affiliation, entry.Nick ?? "", entry.Reason ?? "",
            }));
    }

    static Command MakeKick(CommandLine line)
    {
        var nick = new Argument<string>("NICK") { Description = "Whom, by the nick in the room" };
        return line.Make("kick", "Send somebody out of a room", async call =>
        {
            await using var admin = await call.ConnectAsync();
            string path = PathOf(call) + AdminClient.PathOf("/occupants/{0}", call.Get(nick));
            await admin.SendAsync(HttpMethod.Delete, AdminClient.WithQuery(path, ("reason", call.Get(Reason))));
            call.SayDone($"sent {call.Get(nick)} out of {call.Get(Room)}");
        }, Room, nick, Reason);
    }

    static Command MakeSay(CommandLine line)
    {
        var text = new Argument<string?>("TEXT")
        {
            Description = "What to say; without it, what is piped in",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var from = Text("--from", "Say it for this session that is inside: an account, a / and a resource", "SESSION");
        return line.Make("say", "Say something to everybody inside, as the room", async call =>
        {
            string? said = call.Parsed.GetValue(text);
            if (said is null && call.Terminal.HasKeyboard) throw new CommandException("say what?", CommandLine.Misused);
            said ??= (await call.Terminal.In.ReadToEndAsync(call.Cancel)).TrimEnd('\r', '\n');
            await using var admin = await call.ConnectAsync();
            await admin.SendAsync(HttpMethod.Post, PathOf(call) + "/messages", new RoomSpeech(said, call.Get(from)));
            call.SayDone($"said in {call.Get(Room)}");
        }, Room, text, from);
    }

    static Command MakeHistory(CommandLine line)
    {
        var max = new Option<int>("--max")
        {
            Description = "Messages at most, up to 200",
            HelpName = "N",
            DefaultValueFactory = _ => 20,
        };
        var before = Text("--before", "Only messages before this one", "ID");
        var after = Text("--after", "Only messages after this one", "ID");
        return line.Make("history", "Show the newest messages of a room", async call =>
        {
            await using var admin = await call.ConnectAsync();
            string answer = await admin.GetTextAsync(AdminClient.WithQuery(PathOf(call) + "/messages",
                ("before", call.Get(before)), ("after", call.Get(after)), ("max", Invocation.Text(call.Get(max)))));
            if (call.Json)
            {
                call.Out.WriteLine(answer);
                return;
            }
            var page = AdminClient.Read<MessagePage>(answer);
            foreach (var message in page.Messages)
            {
                string time = message.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
                call.Say($"{time}  {Author(message.From)}: {TextOf(message)}");
            }
            if (page.Next is null) return;
            string way = call.Get(after) is null ? "--before" : "--after";
            call.Terminal.Error.WriteLine($"There are more: {way} {page.Next}");
        }, Room, max, before, after);
    }

    static string TextOf(MessageView message) => message switch
    {
        { Retracted: true } => "(taken back)",
        { Body: { } body } => body,
        { Subject: { } subject } => $"(subject) {subject}",
        _ => "(no text)",
    };

    /// <summary>The path of the room.</summary>
    public static string PathOf(Invocation call) => AdminClient.PathOf("/api/rooms/{0}", call.Get(Room));

    static Dictionary<string, JsonElement> OptionsOf(IEnumerable<string> settings)
    {
        var options = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (string setting in settings)
        {
            if (setting.Split('=', 2) is not [var name, var value])
                throw new CommandException($"'{setting}' is no setting: it must be NAME=VALUE", CommandLine.Misused);
            bool isSet = RoomOption.ByName(name)?.Kind == RoomOptionKind.Set;
            options[name] = isSet
                ? JsonSerializer.SerializeToElement(
                    value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
                    AdminJson.Default.StringArray)
                : JsonSerializer.SerializeToElement(value, AdminJson.Default.String);
        }
        return options;
    }

    static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(TextOf)),
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };

    /// <summary>An option that takes a text.</summary>
    public static Option<string> Text(string name, string description, string value) =>
        new(name) { Description = description, HelpName = value };

    static string Author(string nick) => nick.Length == 0 ? "the room" : nick;

    static string YesNo(bool yes) => yes ? "yes" : "no";
}
