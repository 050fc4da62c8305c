using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    [ContractFact]
    public async Task A_key_of_the_server_is_made_once()
    {
        byte[] first = [1, 0, 255], second = [2];
        Assert.Equal(first, (await Db.ServerKeys.GetOrAdd("web-push", first)).ToArray());
        Assert.Equal(first, (await Db.ServerKeys.GetOrAdd("web-push", second)).ToArray());
        Assert.Equal(second, (await Db.ServerKeys.GetOrAdd("other", second)).ToArray());
        var race = await Task.WhenAll(Enumerable.Range(0, 10).Select(
            i => Db.ServerKeys.GetOrAdd("raced", new byte[] { (byte)i }).AsTask()));
        Assert.Single(race.Select(key => key.Span[0]).Distinct());
    }
}
