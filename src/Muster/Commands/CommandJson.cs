using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Muster.Server.Http;

namespace Muster.Commands;

/// <summary>What <c>config check --json</c> answers.</summary>
sealed record ConfigView(bool Valid, ConfigProblemView[] Problems);

/// <summary>One problem of a configuration.</summary>
sealed record ConfigProblemView(bool IsError, string File, int Line, int Column, string Key, string Text);

/// <summary>What <c>quickstart --json</c> answers.</summary>
sealed record QuickstartView(string Config, string Admin, string? Password, string[] Dns);

/// <summary>Those shapes, without reflection. The others are the admin API's.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ConfigView)), JsonSerializable(typeof(QuickstartView))]
sealed partial class CommandJson : JsonSerializerContext;

/// <summary>Answers of commands for scripts.</summary>
static class JsonAnswers
{
    /// <summary>Writes an answer.</summary>
    public static void WriteJson<T>(this Invocation call, T answer)
    {
        var type = CommandJson.Default.GetTypeInfo(typeof(T)) as JsonTypeInfo<T> ?? AdminApi.TypeOf<T>();
        call.Out.WriteLine(JsonSerializer.Serialize(answer, type));
    }

    /// <summary>Says that something is done; for scripts, an object without members.</summary>
    public static void SayDone(this Invocation call, string text)
    {
        if (call.Json) call.Out.WriteLine("{}");
        else call.Say(text);
    }
}
