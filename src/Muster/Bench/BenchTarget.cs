namespace Muster.Bench;

/// <summary>The server that is put under load.</summary>
sealed record BenchTarget
{
    /// <summary>Address of the listener for clients.</summary>
    public required string Host { get; init; }

    /// <summary>Its port.</summary>
    public required int Port { get; init; }

    /// <summary>The domain of the accounts.</summary>
    public required string Domain { get; init; }

    /// <summary>The domain of the rooms.</summary>
    public required string Service { get; init; }

    /// <summary>STARTTLS first; certificates are not checked.</summary>
    public bool UsesTls { get; init; }

    /// <summary>PLAIN, SCRAM-SHA-1 or SCRAM-SHA-256.</summary>
    public string Mechanism { get; init; } = "PLAIN";

    /// <summary>Whether clients enable stream management (XEP-0198).</summary>
    public bool IsManaged { get; init; }

    /// <summary>Whether clients ask for a session (RFC 3921 §3), which old servers want.</summary>
    public bool OffersSession { get; init; }

    /// <summary>The server's process, when it runs on this machine: its CPU time and memory are read.</summary>
    public int? ProcessId { get; init; }
}

/// <summary>What a benchmark cannot go on with.</summary>
sealed class BenchException(string message) : Exception(message);
