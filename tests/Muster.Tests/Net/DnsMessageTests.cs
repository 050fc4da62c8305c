using System.Net;
using Muster.Server.Net;
using Muster.Testing;

namespace Muster.Tests.Net;

/// <summary>Answers as bytes, the hostile ones too.</summary>
public sealed class DnsMessageTests
{
    const string Asked = "peer.test";

    static byte[] Question(DnsType type = DnsType.A) => DnsMessage.Query(0x1234, Asked, type)![12..];

    // Header, question, and whatever follows.
    static byte[] Answer(int answers, params byte[] rest) =>
        [0x12, 0x34, 0x81, 0x80, 0, 1, 0, (byte)answers, 0, 0, 0, 0, .. Question(), .. rest];

    static byte[] Record(byte[] name, int type, byte[] data) =>
        [.. name, 0, (byte)type, 0, 1, 0, 0, 1, 44, 0, (byte)data.Length, .. data];

    static DnsResponse? Read(byte[] message) => DnsMessage.Read(message, 0x1234, Asked, DnsType.A);

    [Fact]
    [Spec("RFC 1035", "4.1.4")]
    public void An_answer_is_read_with_its_compressed_names()
    {
        var response = Read(Answer(1, Record([0xC0, 12], 1, [192, 0, 2, 7])))!;
        var record = Assert.Single(response.Answers);
        Assert.Equal((Asked, DnsType.A, 300), (record.Name, record.Type, record.Ttl.TotalSeconds));
        Assert.Equal(IPAddress.Parse("192.0.2.7"), record.Address);
    }

    [Theory]
    [Spec("RFC 5452", "9.1")]
    [InlineData(0, 0x13)]      // another id
    [InlineData(2, 0x01)]      // a question
    [InlineData(2, 0x89)]      // another operation
    [InlineData(5, 0)]         // no question repeated
    [InlineData(5, 2)]         // two questions
    [InlineData(13, (int)'q')] // another name
    [InlineData(24, 28)]       // another type
    [InlineData(26, 3)]        // another class
    public void What_does_not_repeat_the_question_is_no_answer(int at, int value)
    {
        byte[] message = Answer(1, Record([0xC0, 12], 1, [192, 0, 2, 7]));
        Assert.NotNull(Read(message));
        message[at] = (byte)value;
        Assert.Null(Read(message));
    }

    [Theory]
    [InlineData("C01B")]                   // a pointer to itself (27 is where the record begins)
    [InlineData("C0FF")]                   // a pointer out of the message
    [InlineData("0161C01B")]               // a label and then back to it: a loop
    [InlineData("C01D")]                   // a pointer forward
    [InlineData("40")]                     // a kind of label that does not exist
    [InlineData("03612E6200")]             // a dot inside of a label
    [InlineData("03610062")]               // a zero byte inside of a label
    [InlineData("05")]                     // a label that is cut off
    public void Names_that_lead_nowhere_make_an_answer_malformed(string name) =>
        Assert.Null(Read(Answer(1, Record(Convert.FromHexString(name), 1, [192, 0, 2, 7]))));

    [Theory]
    [InlineData(1, "C000020700")]          // an IPv4 address of five bytes
    [InlineData(28, "C0000207")]           // an IPv6 address of four
    [InlineData(33, "000A00000D0500")]     // fine: a service at the root
    [InlineData(33, "000A00")]             // a service that is cut off
    [InlineData(33, "000A00000D050000")]   // bytes behind the target
    [InlineData(6, "0000")]                // a zone without numbers
    public void Data_must_fit_its_type(int type, string data)
    {
        var response = Read(Answer(1, Record([0xC0, 12], type, Convert.FromHexString(data))));
        Assert.Equal(data == "000A00000D0500", response is not null);
    }

    [Fact]
    public void Every_cut_and_every_flipped_byte_is_survived()
    {
        byte[] message = Answer(2, [.. Record([0xC0, 12], 5, [3, (byte)'w', (byte)'w', (byte)'w', 0xC0, 17]),
            .. Record([3, (byte)'w', (byte)'w', (byte)'w', 0xC0, 17], 1, [192, 0, 2, 7])]);
        Assert.Equal(2, Read(message)!.Answers.Count);
        for (int length = 0; length < message.Length; length++) Assert.Null(Read(message[..length]));
        for (int at = 0; at < message.Length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] broken = [.. message];
                broken[at] ^= (byte)(1 << bit);
                _ = Read(broken); // throws nothing, ends
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData(".a")]
    [InlineData("b\u00fccher.test")]
    public void Some_names_cannot_be_asked_for(string name) => Assert.Null(DnsMessage.Query(1, name, DnsType.A));

    [Fact]
    public void Names_and_labels_have_their_bounds()
    {
        string label = new('a', 63);
        Assert.NotNull(DnsMessage.Query(1, $"{label}.{label}.{label}", DnsType.A));
        Assert.Null(DnsMessage.Query(1, label + "a", DnsType.A));
        Assert.Null(DnsMessage.Query(1, $"{label}.{label}.{label}.{label}", DnsType.A));
    }
}
