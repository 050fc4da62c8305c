using System.Security.Cryptography;

namespace Muster.Server.Sessions;

/// <summary>Text that nobody can guess: resources, tokens, ids.</summary>
static class RandomText
{
    const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>Letters and digits; each carries almost six bits.</summary>
    public static string Create(int length) => RandomNumberGenerator.GetString(Alphabet, length);
}
