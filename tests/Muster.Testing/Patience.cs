using Xunit;

namespace Muster.Testing;

/// <summary>Waiting, in real time, for what the server does in tasks of its own.</summary>
public static class Patience
{
    /// <summary>Waits until something holds; fails when it does not within <see cref="TestClient.Patience"/>.</summary>
    public static async Task Eventually(Func<bool> holds)
    {
        for (long start = Environment.TickCount64; !holds()
            && Environment.TickCount64 - start < TestClient.Patience.TotalMilliseconds;) await Task.Delay(10);
        Assert.True(holds());
    }
}
