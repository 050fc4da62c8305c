namespace Muster.Core.Streams;

/// <summary>How far a stream has come. Features are offered and accepted by these marks.</summary>
[Flags]
public enum StreamProgress
{
    /// <summary>Open, no more.</summary>
    None = 0,
    /// <summary>Inside TLS.</summary>
    Secure = 1,
    /// <summary>The client has proved who it is.</summary>
    Authenticated = 2,
    /// <summary>A resource is bound: stanzas flow.</summary>
    Bound = 4,
}
