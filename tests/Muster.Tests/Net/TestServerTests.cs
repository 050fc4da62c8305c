using Muster.Testing;

namespace Muster.Tests.Net;

/// <summary>The server in a test is the whole server.</summary>
public sealed class TestServerTests
{
    [Fact]
    public async Task TwoUsersTalkThroughTheWholeServer()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo", "orchard");
        var juliet = await server.LoginAsync("juliet", "balcony");
        const string Body = "<body>hello</body></message>";
        await romeo.SendAsync("<message type='chat' to='juliet@localhost/balcony' id='m1'>" + Body);
        await juliet.ExpectAsync(
            "<message type='chat' from='romeo@localhost/orchard' to='juliet@localhost/balcony' id='m1'>" + Body);
        await romeo.ExpectNothingAsync();
        await romeo.CloseAsync();
    }
}
