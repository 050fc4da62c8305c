using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Muster.Testing;

/// <summary>
/// A name server on the loopback that answers as a test says, over UDP and TCP on one port: whole zones, or whatever
/// bytes a hostile one would send.
/// </summary>
public sealed class ScriptedDns : IDisposable
{
    const int A = 1, Cname = 5, Soa = 6, Aaaa = 28, Srv = 33;

    readonly Socket _udp;
    readonly Socket _tcp;
    readonly ConcurrentDictionary<(string, int), List<byte[]>> _records = new();
    readonly ConcurrentQueue<string> _questions = new();
    readonly CancellationTokenSource _stop = new();
    readonly CancellationToken _stopped; // outlives its source

    /// <summary>Starts it on a free port.</summary>
    public ScriptedDns()
    {
        _stopped = _stop.Token;
        (_udp, _tcp) = Bind();
        EndPoint = (IPEndPoint)_udp.LocalEndPoint!;
        _tcp.Listen();
        _ = Task.WhenAll(ServeUdpAsync(), ServeTcpAsync());
    }

    // The number that is free for one protocol may be taken for the other.
    static (Socket Udp, Socket Tcp) Bind()
    {
        for (int tries = 0; ; tries++)
        {
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                tcp.Bind(udp.LocalEndPoint!);
                return (udp, tcp);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && tries < 20)
            {
                udp.Dispose();
                tcp.Dispose();
            }
        }
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>What was asked: <c>udp 33 _xmpp-server._tcp.peer.test</c>.</summary>
    public IReadOnlyList<string> Questions => [.. _questions];

    /// <summary>What is sent for a question over UDP in place of the true answer: any number of datagrams. The second
    /// argument is the true answer.</summary>
    public Func<byte[], byte[], IEnumerable<byte[]>>? Forge { get; set; }

    /// <summary>Time to live of all records, in seconds.</summary>
    public uint Ttl { get; set; } = 300;

    public ScriptedDns Address(string name, string address)
    {
        var ip = IPAddress.Parse(address);
        return Add(name, ip.AddressFamily == AddressFamily.InterNetwork ? A : Aaaa, ip.GetAddressBytes());
    }

    public ScriptedDns Service(string name, int priority, int weight, int port, string target)
    {
        byte[] head = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)priority);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(2), (ushort)weight);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(4), (ushort)port);
        return Add(name, Srv, [.. head, .. Name(target)]);
    }

    public ScriptedDns Alias(string name, string target) => Add(name, Cname, Name(target));

    /// <summary>Adds a record of any type.</summary>
    public ScriptedDns Add(string name, int type, byte[] data)
    {
        _records.GetOrAdd((name, type), static _ => []).Add(data);
        return this;
    }

    /// <summary>A name as labels; "" is the root.</summary>
    public static byte[] Name(string name)
    {
        var bytes = new List<byte>();
        foreach (string label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }
        bytes.Add(0);
        return [.. bytes];
    }

    async Task ServeUdpAsync()
    {
        byte[] buffer = new byte[4096];
        while (!_stopped.IsCancellationRequested)
        {
            try
            {
                var got = await _udp.ReceiveFromAsync(buffer, EndPoint, _stopped);
                byte[] query = buffer[..got.ReceivedBytes];
                byte[] answer = Answer(query, "udp");
                foreach (byte[] datagram in Forge?.Invoke(query, answer) ?? [answer])
                    await _udp.SendToAsync(datagram, got.RemoteEndPoint, _stopped);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException
                or ObjectDisposedException)
            {
                // The end, or an asker who went away.
            }
        }
    }

    async Task ServeTcpAsync()
    {
        while (!_stopped.IsCancellationRequested)
        {
            try
            {
                using var socket = await _tcp.AcceptAsync(_stopped);
                await using var stream = new NetworkStream(socket);
                byte[] length = new byte[2];
                await stream.ReadExactlyAsync(length, _stopped);
                byte[] query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(query, _stopped);
                byte[] answer = Answer(query, "tcp");
                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)answer.Length);
                await stream.WriteAsync((byte[])[.. length, .. answer], _stopped);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or IOException
                or ObjectDisposedException)
            {
                // The end, or an asker who went away.
            }
        }
    }

    byte[] Answer(byte[] query, string transport)
    {
        int at = 12;
        var labels = new List<string>();
        for (; query[at] != 0; at += query[at] + 1) labels.Add(Encoding.ASCII.GetString(query, at + 1, query[at]));
        string name = string.Join('.', labels);
        int type = BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(at + 1));
        _questions.Enqueue($"{transport} {type} {name}");
        var answers = new List<byte>();
        int count = 0;
        for (int depth = 0; depth < 20; depth++)
        {
            if (_records.TryGetValue((Key(name), type), out var found))
            {
                foreach (byte[] data in found) Append(answers, name, type, data);
                count += found.Count;
                break;
            }
            if (!_records.TryGetValue((Key(name), Cname), out var alias)) break;
            Append(answers, name, Cname, alias[0]);
            count++;
            name = NameOf(alias[0]);
        }
        bool exists = count > 0 || _records.Keys.Any(key => key.Item1 == Key(name));
        var authority = new List<byte>();
        byte[] zone = [.. Name("ns.test"), .. Name("who.test"), .. new byte[16], 0, 0, 0, 60];
        if (count == 0) Append(authority, "test", Soa, zone);
        byte[] header = [query[0], query[1], 0x81, (byte)(exists ? 0x80 : 0x83), 0, 1, 0, (byte)count, 0,
            (byte)(count == 0 ? 1 : 0), 0, 0];
        return [.. header, .. query[12..(at + 5)], .. answers, .. authority];
    }

    void Append(List<byte> bytes, string name, int type, byte[] data)
    {
        byte[] head = new byte[10];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)type);
        head[3] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), Ttl);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(8), (ushort)data.Length);
        bytes.AddRange(Name(name));
        bytes.AddRange(head);
        bytes.AddRange(data);
    }

    // RFC 4343: case does not count; some ask in a mixture of cases, to know their answer by it.
    static string Key(string name) => name.ToLowerInvariant();

    static string NameOf(byte[] labels)
    {
        var text = new List<string>();
        for (int at = 0; labels[at] != 0; at += labels[at] + 1)
            text.Add(Encoding.ASCII.GetString(labels, at + 1, labels[at]));
        return string.Join('.', text);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _udp.Dispose();
        _tcp.Dispose();
        _stop.Dispose();
    }
}
