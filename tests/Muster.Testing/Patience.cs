using Xunit;

namespace Muster.Testing;

/// <summary>Waiting, in real time, for what the server does in tasks of its own.</summary>
public static class Patience
{
    /// <summary>Waits until something holds; fails when it does not within <see cref="TestClient.Patience"/>.</summary>
    public static async Task Eventually(Func<bool> holds)
    {
        for (int i = 0; i < 1000 && !holds(); i++) await Task.Delay(10);
        Assert.True(holds());
    }
}
