using System.Globalization;
using System.Text;
using System.Text.Json;
using Muster.Testing;

namespace Muster.Tests.Commands;

/// <summary>The description of the admin API: valid, whole, and what the server serves.</summary>
public sealed class OpenApiTests : IAsyncLifetime, IDisposable
{
    TestServer _server = null!;
    AdminHttp _admin = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await _server.Host.StartForAdminAsync();
        _admin = new AdminHttp(_server.Folder);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _admin.Dispose();

    [Fact]
    public async Task Every_operation_and_parameter_is_described_and_no_other()
    {
        var document = await _admin.DoneAsync("GET", "/api/openapi.json");
        var described = Operations(document).SelectMany(operation => Parameters(operation.Value)
            .Select(p => $"{operation.Method} {operation.Path} {p.Place} {p.Name}").Prepend(
                $"{operation.Method} {operation.Path} {SuccessOf(operation.Value)}"));
        var there = _server.Host.Admin.Operations.SelectMany(operation => operation.Variables
            .Select(name => $"{operation.Method} {operation.Path} path {name}")
            .Concat(operation.Queries.Select(name => $"{operation.Method} {operation.Path} query {name}"))
            .Prepend($"{operation.Method} {operation.Path} {operation.Success}"));
        Assert.Equal(there.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    // OpenAPI 3.1: what is required of each object, and that every reference leads somewhere.
    [Fact]
    public async Task The_document_is_valid()
    {
        var document = await _admin.DoneAsync("GET", "/api/openapi.json");
        Assert.StartsWith("3.1.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.All(new[] { "title", "version" }, key =>
            Assert.NotEmpty(document.GetProperty("info").GetProperty(key).GetString()!));
        var operations = Operations(document).ToList();
        var ids = operations.Select(operation => operation.Value.GetProperty("operationId").GetString()!).ToList();
        Assert.Equal(ids.Distinct(), ids);
        foreach (var (path, method, operation) in operations)
        {
            Assert.StartsWith("/api/", path, StringComparison.Ordinal);
            Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
            var named = Parameters(operation).Where(p => p.Place == "path").Select(p => $"{{{p.Name}}}");
            Assert.Equal(path.Split('/').Where(part => part.StartsWith('{')), named);
            Assert.All(operation.GetProperty("parameters").EnumerateArray(), parameter =>
            {
                Assert.NotEmpty(parameter.GetProperty("description").GetString()!);
                Assert.True(parameter.GetProperty("schema").TryGetProperty("type", out _));
                Assert.Equal(parameter.GetProperty("in").GetString() == "path",
                    parameter.GetProperty("required").GetBoolean());
            });
            Assert.Equal(method is "POST" or "PUT" or "PATCH" && !path.EndsWith("/reload", StringComparison.Ordinal),
                operation.TryGetProperty("requestBody", out _));
            Assert.All(operation.GetProperty("responses").EnumerateObject(), response =>
            {
                Assert.NotEmpty(response.Value.GetProperty("description").GetString()!);
                Assert.Equal(response.Name is not ("204" or "201") || response.Value.TryGetProperty("content", out _),
                    response.Value.TryGetProperty("content", out _));
            });
        }
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var references = References(document).Distinct().ToList();
        Assert.All(references, reference => Assert.True(schemas.TryGetProperty(
            reference["#/components/schemas/".Length..], out _), reference));
        // Nothing is described that nothing leads to.
        Assert.All(schemas.EnumerateObject(), schema =>
            Assert.Contains($"#/components/schemas/{schema.Name}", references));
    }

    [Fact]
    public async Task Shapes_have_the_rules_that_bodies_are_read_by()
    {
        var schemas = (await _admin.DoneAsync("GET", "/api/openapi.json")).GetProperty("components")
            .GetProperty("schemas");
        var creation = schemas.GetProperty("RoomCreation");
        Assert.Equal(["jid", "owner"], creation.GetProperty("required").EnumerateArray().Select(r => r.GetString()));
        Assert.Equal("#/components/schemas/RoomOptions",
            creation.GetProperty("properties").GetProperty("options").GetProperty("$ref").GetString());
        Assert.False(creation.GetProperty("additionalProperties").GetBoolean());
        var options = schemas.GetProperty("RoomOptions").GetProperty("properties");
        Assert.Equal("boolean", options.GetProperty("anonymous").GetProperty("type").GetString());
        Assert.Equal("integer", options.GetProperty("max_users").GetProperty("type").GetString());
        Assert.True(options.GetProperty("password").GetProperty("writeOnly").GetBoolean());

        // And answers have the shapes that are described.
        await _server.AddUserAsync("anna");
        await _admin.DoneAsync("POST", "/api/rooms",
            """{"jid":"garden@conference.localhost","owner":"anna@localhost"}""");
        var room = await _admin.DoneAsync("GET", "/api/rooms/garden@conference.localhost");
        Assert.Equal(Names(schemas.GetProperty("RoomView").GetProperty("properties")), Names(room));
        Assert.Equal(Names(options).Except(["password"]), Names(room.GetProperty("options")));
    }

    [Fact]
    public async Task The_page_of_the_api_is_up_to_date() =>
        GeneratedDocument.Compare("docs/admin-api.md", Page(await _admin.DoneAsync("GET", "/api/openapi.json")));

    string Page(JsonElement document)
    {
        var page = new StringBuilder("""
            # Admin API

            <!-- Made from the table of operations; a test compares, UPDATE=1 writes it anew. -->

            JSON over HTTP under `/api`, on every HTTP listener whose `services` have `"api"` (by default the one of
            `127.0.0.1:5280`) and on the socket `admin.sock` in the data folder. Over HTTP each request shows the token
            of `admin.token` in the data folder; the socket is the server's own user's and needs none.

            ```sh
            curl -H "Authorization: Bearer $(cat data/admin.token)" http://127.0.0.1:5280/api/rooms
            curl --unix-socket data/admin.sock http://localhost/api/rooms
            ```

            `/api/openapi.json` describes all of it in OpenAPI 3.1, with the shapes of bodies and answers; clients can
            be generated from it. Addresses in paths are percent-encoded. A refusal has a status (400 cannot be meant
            so, 401 without the token, 404 is not there, 409 does not fit what is there, 503 cannot be done now) and
            the body `{"error": "one line"}`. Lists come in pages: `next` of an answer is the `after` of the next
            question, until it is null. Options of rooms are called as under `default_room` in the configuration file.

            What an owner or moderator of a room does, an administrator does by the same rules. What is done for a
            session or a user (entering, speaking, inviting) is done with that user's rights.

            | method | path | does | takes | gives |
            | --- | --- | --- | --- | --- |

            """.ReplaceLineEndings("\n"));
        foreach (var (path, method, operation) in Operations(document))
        {
            string template = _server.Host.Admin.Operations
                .Single(o => o.Path == path && o.Method == method).Template;
            string takes = operation.TryGetProperty("requestBody", out var body) ? SchemaOf(body) : "";
            var answer = operation.GetProperty("responses").EnumerateObject().First();
            page.Append(CultureInfo.InvariantCulture, $"| {method} | `{template}` ")
                .Append(CultureInfo.InvariantCulture, $"| {operation.GetProperty("summary").GetString()} ")
                .Append(CultureInfo.InvariantCulture, $"| {takes} | {answer.Name} {SchemaOf(answer.Value)} |\n");
        }
        return page.ToString();
    }

    static string SchemaOf(JsonElement body) => body.TryGetProperty("content", out var content)
        ? content.GetProperty("application/json").GetProperty("schema").GetProperty("$ref").GetString()!.Split('/')[^1]
        : "";

    static IEnumerable<(string Path, string Method, JsonElement Value)> Operations(JsonElement document) =>
        from path in document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select (path.Name, operation.Name.ToUpperInvariant(), operation.Value);

    static IEnumerable<(string Name, string Place)> Parameters(JsonElement operation) =>
        operation.GetProperty("parameters").EnumerateArray()
            .Select(p => (p.GetProperty("name").GetString()!, p.GetProperty("in").GetString()!));

    static string SuccessOf(JsonElement operation) =>
        operation.GetProperty("responses").EnumerateObject().Single(response => response.Name != "default").Name;

    static IEnumerable<string> Names(JsonElement value) =>
        value.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal);

    static IEnumerable<string> References(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(property =>
            property.Name == "$ref" ? [property.Value.GetString()!] : References(property.Value)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
