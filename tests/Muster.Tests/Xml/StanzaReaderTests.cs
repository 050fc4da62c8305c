using static Muster.Tests.Xml.SplitReader;

namespace Muster.Tests.Xml;

/// <summary>What the reader makes of well-formed streams. Every input is read in every way it can arrive.</summary>
public sealed class StanzaReaderTests
{
    const string Open =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='a.example' version='1.0'>";

    const string OpenShown = "open jabber:client: {http://etherx.jabber.org/streams}stream [to=\"a.example\"] [version=\"1.0\"]()";

    [Fact]
    public void A_stream_from_its_start_to_its_end()
    {
        string[] items = Texts("<?xml version='1.0'?>\n" + Open +
            "<message to='b@a.example' type=\"chat\"><body>Hello &amp; goodbye</body></message>\n" +
            "<iq id='1'/></stream:stream>");
        Assert.Equal(
        [
            OpenShown,
            "{jabber:client}message [to=\"b@a.example\"] [type=\"chat\"]({jabber:client}body(\"Hello & goodbye\"))",
            "white",
            "{jabber:client}iq [id=\"1\"]()",
            "close",
        ], items);
    }
}
