using Muster.Testing;

namespace Muster.Tests.Transcripts;

/// <summary>Every dialogue of tests/Transcripts, against a server of its own; and the instrument itself.</summary>
public sealed class TranscriptTests
{
    public static TheoryData<string> Files => [.. TranscriptRunner.Files];

    [Theory, MemberData(nameof(Files))]
    public Task Plays(string file) => TranscriptRunner.PlayFileAsync(file);

    [Theory]
    [InlineData("", "t: at the end romeo has more to receive")]
    [InlineData("romeo receives nothing", "t:4: ")]
    [InlineData("romeo receives:\n  <message id='1'/>", "t:4: ")]
    [InlineData("romeo receives in any order:\n  <message id='1'/>\n <presence/>", "t:4: ")]
    public async Task FailsWhereTheServerDoesSomethingElse(string then, string where)
    {
        string text = $"romeo is romeo@localhost/a\nromeo sends:\n  <message to='romeo@localhost/a'/>\n{then}";
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TranscriptRunner.PlayAsync("t", text));
        Assert.Contains(where, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("romeo dances")]
    [InlineData("romeo sends:\n  <message/>")]
    [InlineData("time passes slowly")]
    public Task RefusesWhatIsNoTranscript(string text) =>
        Assert.ThrowsAsync<FormatException>(() => TranscriptRunner.PlayAsync("t", text));

    [Theory]
    [InlineData("<a x='*'/>", "<a x='anything'/>", true)]
    [InlineData("<a x='b*d'/>", "<a x='bcd'/>", true)]
    [InlineData("<a x='b*d'/>", "<a x='bce'/>", false)]
    [InlineData("<a x='b*b'/>", "<a x='b'/>", false)]
    [InlineData("<a x='**'/>", "<a/>", true)]
    [InlineData("<a x='*'/>", "<a/>", false)]
    [InlineData("<a/>", "<a x='1'/>", false)]
    [InlineData("<a x='{n}' y='{n}'/>", "<a x='1' y='1'/>", true)]
    [InlineData("<a x='{n}' y='{n}'/>", "<a x='1' y='2'/>", false)]
    [InlineData("<a><b/></a>", "<a><b/><c/></a>", false)]
    [InlineData("<a>...<c/></a>", "<a><b/><c/><d/></a>", true)]
    [InlineData("<a>...</a>", "<a>text</a>", true)]
    [InlineData("<a>...<c/></a>", "<a><b/></a>", false)]
    [InlineData("<a>\n  <b/>\n</a>", "<a><b/></a>", true)]
    [InlineData("<a>te*t</a>", "<a>tenet</a>", true)]
    [InlineData("<a>text</a>", "<a>other</a>", false)]
    [InlineData("<a xmlns='urn:x'/>", "<a xmlns='urn:y'/>", false)]
    public void PatternsFitOrNot(string pattern, string actual, bool fits) =>
        Assert.Equal(fits, new XmlPattern(pattern).Mismatch(TestXml.Parse(actual)) is null);

    [Fact]
    public async Task AScriptedPeerIsHeldToItsScript()
    {
        await using var server = await TestServer.StartAsync();
        var peer = new ScriptedPeer(server.Accept(out var life));
        await peer.RunAsync("""
            # A byte order mark, a header in two pieces, and rubbish.
            > \xEF\xBB\xBF<?xml version='1.0'?><stream:stream to='localhost' version='1.0'
            > \nxmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
            < <stream:stream*id='*<stream:features>*</stream:features>
            > <message>\xFF</message>
            < <unsupported-encoding *(connection c*</stream:stream>
            ! end
            ! ended
            """);
        await life.WaitAsync(TestClient.Patience);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            new ScriptedPeer(server.Accept(out _)).RunAsync("! end\n< <success"));
        Assert.Contains("< <success", error.Message, StringComparison.Ordinal);
    }
}
