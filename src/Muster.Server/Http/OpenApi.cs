using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Microsoft.AspNetCore.Http;
using Muster.Core.Rooms;

namespace Muster.Server.Http;

/// <summary>Describes the admin API in OpenAPI 3.1, from the table that requests are dispatched by: paths, parameters,
/// and the shapes of bodies and answers with the rules that they are read by.</summary>
static class OpenApi
{
    const string Json = "application/json";
    const string Options = "RoomOptions";

    // One text for a name, as it means the same everywhere.
    static readonly Dictionary<string, string> Parameters = new()
    {
        ["account"] = "Only sessions of this account.",
        ["affiliation"] = "Only those with this affiliation: owner, admin, member or outcast.",
        ["after"] = "Where the page begins: the value of `next` of the page before; of messages, the id of the last "
            + "one known.",
        ["alternate"] = "The room to go to instead.",
        ["before"] = "Only messages before the one with this id.",
        ["domain"] = "A room service, or the served domain of one.",
        ["host"] = "Only accounts of this domain.",
        ["jid"] = "An address; of a room the bare one.",
        ["max"] = "How much a page holds at most, up to a bound of the server.",
        ["nick"] = "The nick of somebody inside.",
        ["reason"] = "What is told to those concerned.",
        ["room"] = "The room's name before the @.",
        ["service"] = "Only rooms of this room service.",
        ["session"] = "An account, a / and a resource.",
        ["text"] = "Only rooms with this in name or title.",
        ["user"] = "An account, or a whole domain.",
        ["visible_to"] = "Only rooms that this user sees: public ones, and those where the user is inside.",
    };

    /// <summary>The document, in UTF-8.</summary>
    public static byte[] Write(IReadOnlyList<AdminOperation> operations)
    {
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal) { [Options] = RoomOptions() };
        var paths = new JsonObject();
        string problem = Schema(typeof(AdminProblem), schemas);
        foreach (var operation in operations)
        {
            if (paths[operation.Path] is not JsonObject path) paths[operation.Path] = path = [];
            path[operation.Method.ToLowerInvariant()] = Describe(operation, problem, schemas);
        }
        var document = new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Muster admin API",
                ["version"] = AdminApi.Version.Split('+')[0],
                ["description"] = "What an administrator does with a Muster server. Times are UTC. A refusal is a "
                    + "status of 400 or more and one line for a person to read.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0", ["identifier"] = "Apache-2.0" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = new JsonArray(new JsonObject { ["token"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["token"] = new JsonObject
                    {
                        ["type"] = "http",
                        ["scheme"] = "bearer",
                        ["description"] = "The text of admin.token in the data folder.",
                    },
                },
                ["schemas"] = new JsonObject(schemas.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
            },
        };
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
            document.WriteTo(writer);
        return buffer.ToArray();
    }

    /// <summary>A name for what an operation does, by which generated clients call it: <c>get_rooms_jid</c>.</summary>
    public static string IdOf(AdminOperation operation) => operation.Method.ToLowerInvariant() + string.Concat(
        operation.Path[AdminApi.Root.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries)
            .Select(segment => "_" + segment.Trim('{', '}').Replace('.', '_')));

    static JsonObject Describe(
        AdminOperation operation, string problem, SortedDictionary<string, JsonNode> schemas)
    {
        var parameters = new JsonArray();
        foreach (string name in operation.Variables) parameters.Add((JsonNode)Parameter(name, "path", true));
        foreach (string name in operation.Queries) parameters.Add((JsonNode)Parameter(name, "query", false));
        var description = new JsonObject
        {
            ["operationId"] = IdOf(operation),
            ["summary"] = operation.Summary,
            ["tags"] = new JsonArray(operation.Path.Split('/')[2].Split('.')[0]),
            ["parameters"] = parameters,
        };
        if (operation.Takes is { } takes)
        {
            description["requestBody"] = new JsonObject
            {
                ["required"] = true, ["content"] = Content(Schema(takes, schemas)),
            };
        }
        var success = new JsonObject { ["description"] = operation.Success switch
        {
            StatusCodes.Status201Created => "It is made.",
            StatusCodes.Status204NoContent => "It is done.",
            _ => "The answer.",
        } };
        if (operation.Gives is { } gives) success["content"] = Content(Schema(gives, schemas));
        description["responses"] = new JsonObject
        {
            [operation.Success.ToString(CultureInfo.InvariantCulture)] = success,
            ["default"] = new JsonObject
            {
                ["description"] = "It is refused: 400 cannot be meant so, 401 without the token, 404 is not there, "
                    + "409 does not fit what is there, 503 cannot be done now.",
                ["content"] = Content(problem),
            },
        };
        return description;
    }

    static JsonObject Parameter(string name, string place, bool isRequired) => new()
    {
        ["name"] = name,
        ["in"] = place,
        ["required"] = isRequired,
        ["description"] = Parameters[name],
        ["schema"] = name == "max"
            ? new JsonObject { ["type"] = "integer", ["minimum"] = 1 }
            : new JsonObject { ["type"] = "string" },
    };

    static JsonObject Content(string schema) =>
        new() { [Json] = new JsonObject { ["schema"] = Reference(schema) } };

    static JsonObject Reference(string schema) => new() { ["$ref"] = $"#/components/schemas/{schema}" };

    /// <summary>Adds the shape of a type, and of those in it, to the schemas; returns its name.</summary>
    static string Schema(Type type, SortedDictionary<string, JsonNode> schemas)
    {
        if (type == typeof(JsonElement))
        {
            schemas.TryAdd("Document", new JsonObject { ["type"] = "object" });
            return "Document";
        }
        if (type == typeof(Dictionary<string, JsonElement>)) return Options;
        if (schemas.ContainsKey(type.Name)) return type.Name;
        var shape = AdminJson.Default.Options.GetJsonSchemaAsNode(type, new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = (context, node) =>
            {
                var inner = context.TypeInfo.Type;
                if (context.Path.Length == 0) return node;
                if (inner == typeof(Dictionary<string, JsonElement>)) return Reference(Options);
                if (inner.Namespace != type.Namespace) return node;
                return Reference(Schema(inner, schemas));
            },
        });
        schemas[type.Name] = shape;
        return type.Name;
    }

    /// <summary>The options of a room: the table that the owner's form and the configuration file go by.</summary>
    static JsonObject RoomOptions()
    {
        var properties = new JsonObject();
        foreach (var option in RoomOption.All) properties[option.Name] = RoomOptionJson.Schema(option);
        return new JsonObject
        {
            ["type"] = "object",
            ["description"] = "Options of a room by their names in the configuration file. Each may be left out; the "
                + "password is never told.",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
    }
}
