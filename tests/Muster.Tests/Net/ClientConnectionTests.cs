namespace Muster.Tests.Net;

/// <summary>What a client sees of its connection, from the first byte to the last.</summary>
public sealed class ClientConnectionTests
{
    [Fact]
    public async Task ClientLogsInBindsAndTalks()
    {
        await using var bench = new NetBench();
        var romeo = await bench.LoginAsync();
        Assert.Equal("romeo@localhost/orchard", romeo.Jid.ToString());
        await romeo.SendAsync("<message type='chat' to='juliet@localhost' id='m1'><body>hello</body></message>");
        await romeo.ExpectAsync("<message type='chat' from='romeo@localhost' to='romeo@localhost/orchard' id='m1'>" +
            "<body>hello</body></message>");
        await romeo.CloseAsync();
        await Until(() => bench.Host.Ended.Count == 1);
    }

    static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 1000 && !condition(); i++) await Task.Delay(10);
        Assert.True(condition());
    }
}
