using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Muster.Core.Rooms;
using Muster.Protocol.Payloads;

namespace Muster.Server.Http;

/// <summary>Room options as JSON: by their names in the configuration file, with the types that they have
/// there.</summary>
static class RoomOptionJson
{
    const int TextBytesMax = 4096;
    static readonly RoomOptions Defaults = new();
    static readonly JsonElement True = Parse("true"), False = Parse("false"), Null = Parse("null");

    /// <summary>All options but the password.</summary>
    public static Dictionary<string, JsonElement> ToJson(RoomOptions options) => RoomOption.All
        .Where(option => option.Kind != RoomOptionKind.Secret)
        .ToDictionary(option => option.Name, option => Value(option, options), StringComparer.Ordinal);

    /// <summary>The fields of the owner's form for some options. Each value is checked.</summary>
    /// <exception cref="AdminException">A name is unknown, or a value is none of its option.</exception>
    public static List<FormField> ToFields(Dictionary<string, JsonElement> options)
    {
        var fields = new List<FormField>();
        foreach (var (name, value) in options)
        {
            if (RoomOption.ByName(name) is not { } option)
            {
                throw AdminException.Invalid($"there is no option '{name}'; there are: "
                    + string.Join(", ", RoomOption.All.Select(other => other.Name)));
            }
            if (Texts(value) is not { } texts || !IsValue(option, texts))
                throw AdminException.Invalid($"{name} cannot be {value.GetRawText()}: {Syntax(option)}");
            foreach (string text in texts) AdminCall.TextOf(text, name, TextBytesMax);
            fields.Add(new FormField(option.FormVar, null, texts));
        }
        return fields;
    }

    /// <summary>Whether a value says yes.</summary>
    public static bool IsTrue(JsonElement value) =>
        Texts(value) is [var text] && FormField.TryBoolean(text, out bool flag) && flag;

    /// <summary>What values an option takes, in words.</summary>
    public static string Syntax(RoomOption option) => option.Kind switch
    {
        _ when IsSwitch(option) => "it is true or false",
        RoomOptionKind.Flag => "it is true or false",
        RoomOptionKind.Number => "it is a whole number above 0",
        RoomOptionKind.Choice => $"it is one of {Words(option)}",
        RoomOptionKind.Set => $"it is any of {Words(option)}",
        _ when option.Range is var (min, max) => $"it is a whole number from {min} to {max}",
        _ when IsOptionalNumber(option) => "it is a whole number, or empty",
        _ => "it is one text",
    };

    /// <summary>The JSON schema of an option.</summary>
    public static JsonObject Schema(RoomOption option)
    {
        var schema = option.Kind switch
        {
            _ when IsSwitch(option) || option.Kind == RoomOptionKind.Flag => Of("boolean"),
            RoomOptionKind.Number => new JsonObject { ["type"] = "integer", ["minimum"] = 1 },
            RoomOptionKind.Choice => new JsonObject { ["type"] = "string", ["enum"] = Choices() },
            RoomOptionKind.Set => new JsonObject
            {
                ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string", ["enum"] = Choices() },
            },
            _ when IsOptionalNumber(option) => new JsonObject { ["type"] = new JsonArray("integer", "null") },
            _ => Of("string"),
        };
        schema["description"] = option.Label;
        if (option.Kind == RoomOptionKind.Secret) schema["writeOnly"] = true;
        return schema;

        static JsonObject Of(string type) => new() { ["type"] = type };

        JsonArray Choices() => [.. option.Choices.Select(choice => (JsonNode)choice.Value)];
    }

    static bool IsValue(RoomOption option, ImmutableArray<string> texts) => option.Write(Defaults, texts) is not null;

    static JsonElement Value(RoomOption option, RoomOptions options)
    {
        var texts = option.Read(options);
        return option.Kind switch
        {
            RoomOptionKind.Flag => texts is ["1"] ? True : False,
            _ when IsSwitch(option) => option.Write(options, ["1"]) == options ? True : False,
            RoomOptionKind.Number => Parse(texts[0]),
            RoomOptionKind.Set => JsonSerializer.SerializeToElement([.. texts], AdminJson.Default.StringArray),
            _ when option.Range is not null => Parse(texts[0]),
            _ when IsOptionalNumber(option) => texts is [var number] ? Parse(number) : Null,
            _ => JsonSerializer.SerializeToElement(texts is [var text] ? text : "", AdminJson.Default.String),
        };
    }

    // "anonymous" is a flag in the file and a choice in the form.
    static bool IsSwitch(RoomOption option) =>
        option is { Kind: RoomOptionKind.Choice, Choices.Length: 2 }
        && IsValue(option, ["1"]) && IsValue(option, ["0"]);

    static bool IsOptionalNumber(RoomOption option) =>
        option.Kind == RoomOptionKind.Text && option.Read(Defaults).IsEmpty;

    static string Words(RoomOption option) => string.Join(", ", option.Choices.Select(choice => choice.Value));

    /// <summary>The value as the form has it; null for one of a kind that no option takes.</summary>
    static ImmutableArray<string>? Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => ["1"],
        JsonValueKind.False => ["0"],
        JsonValueKind.Null => [],
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Number => value.TryGetInt64(out long number)
            ? [number.ToString(CultureInfo.InvariantCulture)]
            : null,
        JsonValueKind.Array => Items(value),
        _ => null,
    };

    static ImmutableArray<string>? Items(JsonElement array)
    {
        var items = ImmutableArray.CreateBuilder<string>();
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String) return null;
            items.Add(item.GetString()!);
        }
        return items.ToImmutable();
    }

    static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
