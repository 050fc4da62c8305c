using System.Text.Json.Serialization;

namespace Muster.Server.Features.Push;

/// <summary>What a token for a push service says (RFC 8292 §2).</summary>
/// <param name="Aud">Origin of the push service.</param>
/// <param name="Exp">When it ends, in seconds since 1970.</param>
/// <param name="Sub">Where its operator reaches ours.</param>
sealed record VapidClaims(string Aud, long Exp, string Sub);

/// <summary>Writes <see cref="VapidClaims"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(VapidClaims))]
sealed partial class VapidJson : JsonSerializerContext;
