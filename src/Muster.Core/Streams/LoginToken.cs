namespace Muster.Core.Streams;

/// <summary>A token with which one client of an account may log in again (XEP-0484).</summary>
/// <param name="Text">The secret, as the client has it.</param>
/// <param name="Mechanism">The one mechanism that it is good for (XEP-0484 §fast-auth).</param>
/// <param name="CreatedAt">When it was given out.</param>
/// <param name="ExpiresAt">From when it is no longer good.</param>
public sealed record LoginToken(string Text, string Mechanism, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>The highest count of attempts that the client has told with it; -1 before the first. A lower one is a
    /// replay (XEP-0484 §fast-auth).</summary>
    public long LastCount { get; init; } = -1;

    /// <summary>Name without the secret: it must not reach a log.</summary>
    public override string ToString() => $"{Mechanism} token of {CreatedAt:O}";
}
