using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Muster.Server.Net;

/// <summary>What is known of a name.</summary>
enum DnsOutcome
{
    /// <summary>There are such records.</summary>
    Found,
    /// <summary>The name exists and has no such records, or does not exist.</summary>
    None,
    /// <summary>No name server gave a useful answer.</summary>
    Failed,
}

/// <summary>The records of a name.</summary>
/// <param name="Outcome">Whether there are any.</param>
/// <param name="Records">The records, the aliases that led to them left out.</param>
/// <param name="Ttl">How long this may be kept.</param>
sealed record DnsAnswer(DnsOutcome Outcome, IReadOnlyList<DnsRecord> Records, TimeSpan Ttl)
{
    /// <summary>Nobody knows.</summary>
    public static DnsAnswer Failed { get; } = new(DnsOutcome.Failed, [], default);
}

/// <summary>
/// Asks name servers (RFC 1035): over UDP from a port of its own for each question, over TCP where the answer does not
/// fit. There is no DNS library to stand on: the platform resolves addresses only, and tells no time to live.
/// </summary>
/// <remarks>Against forged answers (RFC 5452 §9): id and port are random, the socket takes datagrams of the server that
/// was asked alone, and an answer must repeat the question. A datagram that does not fit is passed over, so that a
/// forger cannot end the waiting for the true one.</remarks>
/// <param name="clock">For time-outs.</param>
/// <param name="servers">The name servers to ask; null for those of the system.</param>
sealed class DnsClient(TimeProvider clock, IReadOnlyList<IPEndPoint>? servers = null)
{
    const int Port = 53;
    const int DatagramBytes = 4096;   // without EDNS nobody may send more than 512 (RFC 1035 §4.2.1)
    const int ServersMax = 3;
    const int AliasesMax = 8, QuestionsMax = 4;
    const int NoSuchName = 3;
    static readonly TimeSpan SystemServersKept = TimeSpan.FromSeconds(30);

    // What has no time to live of its own, and the longest that a zone's word for "none" is believed.
    static readonly TimeSpan NoneTtlMax = TimeSpan.FromMinutes(5);

    readonly Lock _lock = new();
    IReadOnlyList<IPEndPoint>? _system;
    long _systemReadAt;

    /// <summary>Looks records up, following aliases.</summary>
    /// <param name="name">An ASCII name without a final dot.</param>
    /// <param name="type">What to look for.</param>
    /// <param name="timeout">How long all of it may take.</param>
    /// <param name="attempts">How often each server is asked.</param>
    public async Task<DnsAnswer> LookUpAsync(string name, DnsType type, TimeSpan timeout, int attempts)
    {
        using var limit = new CancellationTokenSource(timeout, clock);
        string wanted = name.ToLowerInvariant();
        var ttl = TimeSpan.MaxValue;
        int aliases = 0;
        for (int questions = 0; questions < QuestionsMax; questions++)
        {
            if (await AskAsync(wanted, type, timeout, attempts, limit.Token) is not { } response) break;
            string asked = wanted;
            while (true)
            {
                var found = response.Answers.Where(record => record.Name == wanted && record.Type == type).ToList();
                if (found.Count > 0)
                    return new(DnsOutcome.Found, found, Shorter(ttl, found.Min(record => record.Ttl)));
                var alias = response.Answers.FirstOrDefault(r => r.Name == wanted && r.Type == DnsType.Cname);
                if (alias.Name is null) break;
                if (++aliases > AliasesMax) return DnsAnswer.Failed; // too many, or a ring of them
                ttl = Shorter(ttl, alias.Ttl);
                wanted = alias.Target;
            }
            // RFC 1034 §3.6.2: an alias whose end the server did not add is asked for anew.
            if (wanted == asked || response.Code == NoSuchName) return new(DnsOutcome.None, [], NoneTtl(response));
        }
        return DnsAnswer.Failed;
    }

    // RFC 2308 §5: the shorter of the SOA's own time and its MINIMUM; without a SOA it may not be kept.
    static TimeSpan NoneTtl(DnsResponse response)
    {
        var soa = response.Authority.FirstOrDefault(record => record.Type == DnsType.Soa);
        return soa.Name is null ? TimeSpan.Zero : Shorter(NoneTtlMax, Shorter(soa.Ttl, soa.Minimum));
    }

    static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    /// <summary>Asks one server after the other, again and again; null when none knows.</summary>
    async Task<DnsResponse?> AskAsync(
        string name, DnsType type, TimeSpan timeout, int attempts, CancellationToken end)
    {
        var asked = servers ?? SystemServers();
        int tries = Math.Max(1, attempts) * asked.Count;
        for (int i = 0; i < tries && !end.IsCancellationRequested; i++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(end);
            using var share = new CancellationTokenSource(timeout / tries, clock);
            using var link = share.Token.Register(limit.Cancel);
            try
            {
                var response = await AskAsync(asked[i % asked.Count], name, type, limit.Token);
                // SERVFAIL, REFUSED and their like say nothing about the name: another server may know.
                if (response is { Code: 0 or NoSuchName }) return response;
            }
            catch (Exception error) when (error is SocketException or IOException or OperationCanceledException)
            {
                // Silence, or a server that is not there: the next one is asked.
            }
        }
        return null;
    }

    static async Task<DnsResponse?> AskAsync(
        IPEndPoint server, string name, DnsType type, CancellationToken end)
    {
        ushort id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
        if (DnsMessage.Query(id, name, type) is not { } query) return null;
        // A new socket: its port is the system's choice, which is random (RFC 5452 §9.2).
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, end); // the system lets in this server's datagrams alone
        await socket.SendAsync(query, end);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(DatagramBytes);
        try
        {
            while (true)
            {
                int length = await socket.ReceiveAsync(buffer.AsMemory(), end);
                if (DnsMessage.Read(buffer.AsSpan(0, length), id, name, type) is not { } response) continue;
                return response.IsTruncated ? await AskByTcpAsync(server, query, name, type, end) : response;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // RFC 7766 §5, RFC 1035 §4.2.2: two bytes of length come before the message.
    static async Task<DnsResponse?> AskByTcpAsync(
        IPEndPoint server, byte[] query, string name, DnsType type, CancellationToken end)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, end);
        await using var stream = new NetworkStream(socket);
        byte[] framed = new byte[query.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
        query.CopyTo(framed, 2);
        await stream.WriteAsync(framed, end);
        byte[] length = new byte[2];
        await stream.ReadExactlyAsync(length, end);
        byte[] message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(message, end);
        ushort id = BinaryPrimitives.ReadUInt16BigEndian(query);
        var response = DnsMessage.Read(message, id, name, type);
        return response is { IsTruncated: true } ? null : response;
    }

    /// <summary>The name servers that the system is set up with; the one of this machine when it tells none.</summary>
    IReadOnlyList<IPEndPoint> SystemServers()
    {
        lock (_lock)
        {
            if (_system is not null && clock.GetElapsedTime(_systemReadAt) < SystemServersKept) return _system;
            var found = NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(card => card.GetIPProperties().DnsAddresses)
                .Distinct().Take(ServersMax).Select(address => new IPEndPoint(address, Port)).ToList();
            _systemReadAt = clock.GetTimestamp();
            return _system = found.Count > 0 ? found : [new IPEndPoint(IPAddress.Loopback, Port)];
        }
    }
}
