using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Muster.Server.Net;

/// <summary>The types of records that this server asks for or reads (RFC 1035 §3.2.2, RFC 3596, RFC 2782).</summary>
enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Soa = 6,
    Aaaa = 28,
    Srv = 33,
}

/// <summary>One record of an answer.</summary>
/// <param name="Name">Whose it is: lower case, no final dot.</param>
/// <param name="Type">Its type.</param>
/// <param name="Ttl">How long it may be kept.</param>
readonly record struct DnsRecord(string Name, DnsType Type, TimeSpan Ttl)
{
    /// <summary>The address of A and AAAA.</summary>
    public IPAddress? Address { get; init; }
    /// <summary>The name that CNAME and SRV lead to; "" is the root.</summary>
    public string Target { get; init; } = "";
    /// <summary>Priority, weight and port of SRV.</summary>
    public (ushort Priority, ushort Weight, ushort Port) Service { get; init; }
    /// <summary>How long the zone wants "there is none" to be kept: the MINIMUM of SOA (RFC 2308 §4).</summary>
    public TimeSpan Minimum { get; init; }
}

/// <summary>What a name server answered.</summary>
/// <param name="Code">RCODE: 0 for success, 3 for a name that does not exist.</param>
/// <param name="IsTruncated">The answer did not fit: it must be asked for over TCP.</param>
/// <param name="Answers">The records of the answer section.</param>
/// <param name="Authority">SOA records of the authority section.</param>
sealed record DnsResponse(
    int Code, bool IsTruncated, IReadOnlyList<DnsRecord> Answers, IReadOnlyList<DnsRecord> Authority);

/// <summary>Questions and answers of the DNS as bytes (RFC 1035 §4). Nothing in here trusts what it reads.</summary>
static class DnsMessage
{
    /// <summary>RFC 1035 §2.3.4: a name, its labels' lengths included.</summary>
    public const int NameBytesMax = 255;

    /// <summary>RFC 1035 §2.3.4.</summary>
    public const int LabelBytesMax = 63;

    const int HeaderBytes = 12;
    const ushort ClassInternet = 1;
    const int RecordsMax = 256;

    /// <summary>The question for the records of a name, with recursion.</summary>
    /// <param name="id">Which the answer must repeat.</param>
    /// <param name="name">An ASCII name without a final dot.</param>
    /// <param name="type">What is asked for.</param>
    /// <returns>Null when the name cannot be asked for: a label is empty or too long.</returns>
    public static byte[]? Query(ushort id, string name, DnsType type)
    {
        if (name.Length is 0 or > NameBytesMax - 2) return null;
        byte[] bytes = new byte[HeaderBytes + name.Length + 2 + 4];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, id);
        bytes[2] = 1; // RD
        bytes[5] = 1; // QDCOUNT
        int at = HeaderBytes;
        foreach (string label in name.Split('.'))
        {
            if (label.Length is 0 or > LabelBytesMax || !Ascii.IsValid(label)) return null;
            bytes[at++] = (byte)label.Length;
            at += Encoding.ASCII.GetBytes(label, bytes.AsSpan(at));
        }
        at++;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(at), (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(at + 2), ClassInternet);
        return bytes;
    }

    /// <summary>Reads the answer to a question; null when it is none, or is malformed.</summary>
    /// <param name="message">What was received.</param>
    /// <param name="id">The id of the question.</param>
    /// <param name="name">The name that was asked for.</param>
    /// <param name="type">The type that was asked for.</param>
    public static DnsResponse? Read(ReadOnlySpan<byte> message, ushort id, string name, DnsType type)
    {
        if (message.Length < HeaderBytes || BinaryPrimitives.ReadUInt16BigEndian(message) != id) return null;
        int flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        bool isResponse = (flags & 0x8000) != 0, isQuery = (flags & 0x7800) == 0;
        if (!isResponse || !isQuery || Count(message, 4) != 1) return null;
        // RFC 5452 §9.1: an answer repeats the question. A guess of the id alone does not make one.
        int at = HeaderBytes;
        if (!TryName(message, ref at, out string asked)) return null;
        if (!asked.Equals(name, StringComparison.OrdinalIgnoreCase)) return null;
        if (message.Length < at + 4 || Count(message, at) != (int)type || Count(message, at + 2) != ClassInternet)
            return null;
        at += 4;
        bool isTruncated = (flags & 0x0200) != 0;
        // What is cut off is not read at all: it comes again over TCP.
        if (isTruncated) return new DnsResponse(flags & 0xF, true, [], []);
        int answerCount = Count(message, 6), authorityCount = Count(message, 8);
        if (answerCount + authorityCount > RecordsMax) return null;
        var answers = new List<DnsRecord>();
        var authority = new List<DnsRecord>();
        if (!TryRecords(message, ref at, answerCount, answers)) return null;
        if (!TryRecords(message, ref at, authorityCount, authority)) return null;
        return new DnsResponse(flags & 0xF, false, answers, authority);
    }

    static int Count(ReadOnlySpan<byte> message, int at) => BinaryPrimitives.ReadUInt16BigEndian(message[at..]);

    static bool TryRecords(ReadOnlySpan<byte> message, ref int at, int count, List<DnsRecord> records)
    {
        for (int i = 0; i < count; i++)
        {
            if (!TryName(message, ref at, out string name) || message.Length < at + 10) return false;
            var type = (DnsType)Count(message, at);
            int recordClass = Count(message, at + 2);
            uint seconds = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
            int length = Count(message, at + 8);
            at += 10;
            if (message.Length < at + length) return false;
            // RFC 2181 §8: a TTL with the highest bit set counts as 0.
            var record = new DnsRecord(name, type, TimeSpan.FromSeconds(seconds > int.MaxValue ? 0 : seconds));
            if (recordClass == ClassInternet && !TryData(message, at, length, ref record)) return false;
            if (recordClass == ClassInternet) records.Add(record);
            at += length;
        }
        return true;
    }

    static bool TryData(ReadOnlySpan<byte> message, int at, int length, ref DnsRecord record)
    {
        int end = at + length;
        switch (record.Type)
        {
            case DnsType.A or DnsType.Aaaa:
                if (length != (record.Type == DnsType.A ? 4 : 16)) return false;
                record = record with { Address = new IPAddress(message.Slice(at, length)) };
                return true;
            case DnsType.Cname:
                if (!TryName(message, ref at, out string alias) || at != end) return false;
                record = record with { Target = alias };
                return true;
            case DnsType.Srv:
                if (length < 7) return false;
                var service = ((ushort)Count(message, at), (ushort)Count(message, at + 2),
                    (ushort)Count(message, at + 4));
                at += 6;
                if (!TryName(message, ref at, out string target) || at != end) return false;
                record = record with { Service = service, Target = target };
                return true;
            case DnsType.Soa:
                // MNAME, RNAME, then five numbers of which MINIMUM is the last.
                if (!TryName(message, ref at, out _) || !TryName(message, ref at, out _) || at + 20 != end)
                    return false;
                uint minimum = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 16)..]);
                record = record with { Minimum = TimeSpan.FromSeconds(Math.Min(minimum, int.MaxValue)) };
                return true;
            default:
                return true;
        }
    }

    /// <summary>Reads a name, following the pointers of compression (RFC 1035 §4.1.4). Each must lead back behind all
    /// that was read of the name, so there is no loop.</summary>
    static bool TryName(ReadOnlySpan<byte> message, ref int at, out string name)
    {
        name = "";
        var text = new StringBuilder();
        int cursor = at, floor = at, resume = -1, bytes = 1;
        while (true)
        {
            if (cursor >= message.Length) return false;
            int length = message[cursor];
            if (length == 0) break;
            if (length >= 0xC0)
            {
                if (cursor + 1 >= message.Length) return false;
                int target = Count(message, cursor) & 0x3FFF;
                if (target >= floor) return false;
                if (resume < 0) resume = cursor + 2;
                cursor = floor = target;
                continue;
            }
            if (length > LabelBytesMax || cursor + 1 + length > message.Length) return false;
            bytes += length + 1;
            if (bytes > NameBytesMax) return false;
            var label = message.Slice(cursor + 1, length);
            // A dot inside of a label would make another name of it.
            if (label.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e) || label.Contains((byte)'.')) return false;
            if (text.Length > 0) text.Append('.');
            text.Append(Encoding.ASCII.GetString(label).ToLowerInvariant());
            cursor += length + 1;
        }
        at = resume < 0 ? cursor + 1 : resume;
        name = text.ToString();
        return true;
    }
}
