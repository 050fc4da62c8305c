using System.Threading.Channels;

namespace Muster.Testing;

/// <summary>The connections that a server makes to a domain which a test plays.</summary>
public sealed class PeerCalls(ChannelReader<ScriptedPeer> calls)
{
    /// <summary>True when a connection waits to be taken.</summary>
    public bool IsCalled => calls.TryPeek(out _);

    /// <summary>The next connection.</summary>
    public Task<ScriptedPeer> ReadAsync() => calls.ReadAsync().AsTask().WaitAsync(TestClient.Patience);

    /// <summary>The next connection, which time brings.</summary>
    /// <param name="advance">Moves the server's clock. Called again while nobody calls: on a loaded machine the server
    /// may make its plan only after the clock was moved.</param>
    public async Task<ScriptedPeer> ReadAsync(Func<Task> advance)
    {
        var call = ReadAsync();
        do await advance();
        while (await Task.WhenAny(call, Task.Delay(1000)) != call);
        return await call;
    }
}
