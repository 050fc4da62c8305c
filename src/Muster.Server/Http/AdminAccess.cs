using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Muster.Server.Http;

/// <summary>Marks connections that came in by the socket in the data folder.</summary>
sealed class AdminDoor;

/// <summary>
/// Who may use the admin API: whoever can open the socket in the data folder, which the file system decides; and over
/// HTTP whoever shows the token that is kept beside it.
/// </summary>
/// <remarks>Coming from this machine is not enough over HTTP: so do other users' programs, the pages in their browsers,
/// and everybody behind a reverse proxy.</remarks>
sealed class AdminAccess
{
    const string Scheme = "Bearer ";
    const int TokenBytes = 32;

    readonly byte[] _tokenHash;

    AdminAccess(string token) => _tokenHash = HashOf(token);

    /// <summary>The file with the token.</summary>
    public static string TokenFile(string folder) => Path.Combine(folder, "admin.token");

    /// <summary>Reads the token, or makes it. Only the owner of the file may read it.</summary>
    /// <exception cref="StartException">The file cannot be read or written.</exception>
    public static AdminAccess Open(string folder)
    {
        string file = TokenFile(folder);
        try
        {
            string token = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
            if (token.Length > 0) return new AdminAccess(token);
            token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
            DataFolder.WritePrivate(file, Encoding.ASCII.GetBytes(token + "\n"));
            return new AdminAccess(token);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"the token of the admin API, {file}, cannot be used: {error.Message}", error);
        }
    }

    /// <summary>Whether a request shows the token.</summary>
    public bool Allows(HttpContext http)
    {
        string? header = http.Request.Headers.Authorization;
        return header is not null && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(_tokenHash, HashOf(header[Scheme.Length..].Trim()));
    }

    /// <summary>Answers a request that may not.</summary>
    public static Task RefuseAsync(HttpContext http)
    {
        http.Response.Headers.WWWAuthenticate = "Bearer"; // RFC 6750 §3
        return AdminApi.Problem(http, StatusCodes.Status401Unauthorized,
            "the admin API needs 'Authorization: Bearer TOKEN', with the token of admin.token in the data folder");
    }

    // Of equal length whatever was sent, so that the comparison takes the same time.
    static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
