using System.Text;
using Muster.Bench;

namespace Muster.Tests.Bench;

public sealed class StanzaScannerTests
{
    static readonly string[] Stanzas =
    [
        "<message from='a>b' to=\"c'/>\"><body>x</body><x xmlns='y'/></message>",
        "<r xmlns='urn:xmpp:sm:3'/>",
        " <presence/>",
        "\n<iq type='result'><a><b c='/'/><d/></a></iq>",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Stanzas_are_found_however_the_bytes_come(int piece)
    {
        byte[] all = Encoding.UTF8.GetBytes("<?xml version='1.0'?><stream:stream a='b'>" + string.Concat(Stanzas));
        var scanner = new StanzaScanner();
        var found = new List<string>();
        int taken = 0;
        for (int filled = Math.Min(piece, all.Length); ; filled = Math.Min(filled + piece, all.Length))
        {
            while (scanner.TryFind(all.AsSpan(taken, filled - taken), out int length))
            {
                found.Add(Encoding.UTF8.GetString(all, taken, length));
                taken += length;
            }
            if (filled == all.Length) break;
        }
        Assert.Equal("<?xml version='1.0'?><stream:stream a='b'>" + Stanzas[0], found[0]);
        Assert.Equal(Stanzas[1..], found[1..]);
        Assert.Equal(all.Length, taken);
    }

    [Fact]
    public void The_end_of_the_stream_is_found_like_a_stanza()
    {
        var scanner = new StanzaScanner();
        byte[] all = "<stream:stream></stream:stream>"u8.ToArray();
        Assert.True(scanner.TryFind(all, out int length));
        Assert.Equal(all.Length, length);
    }
}
