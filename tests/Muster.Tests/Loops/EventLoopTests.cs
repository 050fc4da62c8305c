using System.Net;
using System.Net.Sockets;
using Muster.Server.Loops;
using Muster.Testing;

namespace Muster.Tests.Loops;

/// <summary>Event loops with real sockets of the loopback.</summary>
public sealed class EventLoopTests : IDisposable
{
    readonly EventLoop _loop = new("test loop");
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly List<IDisposable> _open = [];

    public EventLoopTests() => _listener.Start();

    public void Dispose()
    {
        foreach (var item in _open) item.Dispose();
        _listener.Dispose();
        _loop.Dispose();
    }

    async Task<(LoopSocket Server, Socket Client)> ConnectAsync()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(_listener.LocalEndpoint);
        var server = _loop.Take(await _listener.AcceptSocketAsync());
        _open.Add(client);
        _open.Add(server);
        return (server, client);
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public async Task All_bytes_come_back_in_order_whatever_the_sizes_and_the_pauses(int seed)
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            var (server, client) = await ConnectAsync();
            var echo = EchoAsync(server, new Random(seed * 100 + i));
            byte[] sent = new byte[400_000];
            new Random(seed * 1000 + i).NextBytes(sent);
            var writing = WriteAsync(client, sent, new Random(seed + i));
            byte[] got = new byte[sent.Length];
            var random = new Random(i);
            for (int count = 0; count < got.Length;)
            {
                int more = await client.ReceiveAsync(got.AsMemory(count, Math.Min(got.Length - count,
                    random.Next(1, 60_000)))).AsTask().WaitAsync(TestClient.Patience);
                Assert.NotEqual(0, more);
                count += more;
                if (random.Next(10) == 0) await Task.Delay(1);
            }
            await writing;
            Assert.Equal(sent, got);
            Assert.Equal(0, await client.ReceiveAsync(got).WaitAsync(TestClient.Patience));
            await echo.WaitAsync(TestClient.Patience);
        }));

        static async Task WriteAsync(Socket client, byte[] bytes, Random random)
        {
            for (int at = 0; at < bytes.Length;)
            {
                at += await client.SendAsync(bytes.AsMemory(at, Math.Min(bytes.Length - at, random.Next(1, 30_000))));
                if (random.Next(10) == 0) await Task.Delay(1);
            }
            client.Shutdown(SocketShutdown.Send);
        }

        static async Task EchoAsync(LoopSocket server, Random random)
        {
            byte[] buffer = new byte[40_000];
            while (true)
            {
                if (random.Next(2) == 0) Assert.Equal(0, await server.ReadAsync(Memory<byte>.Empty));
                int count = await server.ReadAsync(buffer.AsMemory(0, random.Next(1, buffer.Length)));
                if (count == 0) break;
                // Away from the loop, as after a wait for storage.
                if (random.Next(4) == 0) await Task.Yield();
                await server.WriteAsync(buffer.AsMemory(0, count));
            }
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_the_writer_up_and_loses_nothing()
    {
        var (server, client) = await ConnectAsync();
        byte[] bytes = new byte[32 * 1024 * 1024];
        new Random(7).NextBytes(bytes);
        var writing = server.WriteAsync(bytes).AsTask();
        await Task.Delay(100);
        Assert.False(writing.IsCompleted);
        byte[] got = new byte[bytes.Length];
        for (int count = 0; count < got.Length;)
            count += await client.ReceiveAsync(got.AsMemory(count)).AsTask().WaitAsync(TestClient.Patience);
        await writing.WaitAsync(TestClient.Patience);
        Assert.True(bytes.AsSpan().SequenceEqual(got));
    }

    [Fact]
    public async Task A_wait_for_bytes_takes_none_and_ends_on_the_loop()
    {
        var (server, client) = await ConnectAsync();
        var waiting = Task.Run(WaitAsync); // away from the test's own scheduler
        await Task.Delay(50);
        Assert.False(waiting.IsCompleted);
        await client.SendAsync("word"u8.ToArray());
        Assert.Equal("test loop", await waiting.WaitAsync(TestClient.Patience));
        byte[] word = new byte[10];
        Assert.Equal(4, await server.ReadAsync(word));

        async Task<string?> WaitAsync()
        {
            Assert.Equal(0, await server.ReadAsync(Memory<byte>.Empty));
            return Thread.CurrentThread.Name;
        }
    }

    [Fact]
    public async Task One_who_never_pauses_does_not_hold_up_the_others()
    {
        var (floodedServer, flooder) = await ConnectAsync();
        var (server, client) = await ConnectAsync();
        using var end = new CancellationTokenSource();
        var flooded = Task.Run(async () =>
        {
            long count = 0;
            byte[] one = new byte[1];
            while (await floodedServer.ReadAsync(one) > 0) count++;
            return count;
        });
        var echo = Task.Run(async () =>
        {
            byte[] one = new byte[1];
            while (await server.ReadAsync(one) > 0) await server.WriteAsync(one);
        });
        var flood = Task.Run(async () =>
        {
            byte[] bytes = new byte[64 * 1024];
            while (!end.IsCancellationRequested) await flooder.SendAsync(bytes);
            flooder.Shutdown(SocketShutdown.Send);
        });
        byte[] word = [1];
        for (int i = 0; i < 200; i++)
        {
            await client.SendAsync(word);
            Assert.Equal(1, await client.ReceiveAsync(word).WaitAsync(TestClient.Patience));
        }
        await end.CancelAsync();
        client.Shutdown(SocketShutdown.Send);
        await Task.WhenAll(flood, echo).WaitAsync(TestClient.Patience);
        Assert.NotEqual(0, await flooded.WaitAsync(TestClient.Patience));
    }

    [Fact]
    public async Task An_abort_ends_what_is_under_way()
    {
        var (server, client) = await ConnectAsync();
        var reading = server.ReadAsync(new byte[10]).AsTask();
        var writing = server.WriteAsync(new byte[32 * 1024 * 1024]).AsTask();
        server.Abort();
        await Assert.ThrowsAsync<SocketException>(() => writing.WaitAsync(TestClient.Patience));
        Assert.Equal(0, await reading.WaitAsync(TestClient.Patience));
        await server.DisposeAsync();
        server.Abort();
        await Assert.ThrowsAnyAsync<Exception>(async () => await server.WriteAsync(new byte[10]));
    }

    [Fact]
    public async Task A_peer_that_breaks_off_is_noticed_while_nothing_is_read()
    {
        var (server, client) = await ConnectAsync();
        var writing = server.WriteAsync(new byte[32 * 1024 * 1024]).AsTask();
        client.LingerState = new LingerOption(true, 0);
        client.Close();
        await Assert.ThrowsAsync<SocketException>(() => writing.WaitAsync(TestClient.Patience));
        // The writer has been told what happened; for the reader it is the end.
        Assert.Equal(0, await server.ReadAsync(new byte[10]).AsTask().WaitAsync(TestClient.Patience));
    }

    [Fact]
    public async Task Those_who_come_after_others_are_not_taken_for_them()
    {
        for (int i = 0; i < 300; i++)
        {
            var (server, client) = await ConnectAsync();
            var reading = server.ReadAsync(new byte[10]).AsTask();
            await client.SendAsync(new byte[1 + i % 5]);
            Assert.Equal(1 + i % 5, await reading.WaitAsync(TestClient.Patience));
            // Its last event may come when the place has another socket.
            client.Close();
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task Work_comes_before_writes_and_what_others_hand_over_is_done_on_the_loop()
    {
        var (server, client) = await ConnectAsync();
        var done = new List<string>();
        var all = new TaskCompletionSource();
        var waiting = Task.Run(QueueOnLoopAsync);
        await Task.Delay(50);
        await client.SendAsync(new byte[1]);
        await waiting.WaitAsync(TestClient.Patience);
        await all.Task.WaitAsync(TestClient.Patience);
        Assert.Equal(["work", "write"], done);

        var elsewhere = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.QueueWrite(new Item(() => elsewhere.SetResult(Thread.CurrentThread.Name)));
        Assert.Equal("test loop", await elsewhere.Task.WaitAsync(TestClient.Patience));

        async Task QueueOnLoopAsync()
        {
            Assert.Equal(0, await server.ReadAsync(Memory<byte>.Empty));
            _loop.QueueWrite(new Item(() =>
            {
                done.Add("write");
                all.SetResult();
            }));
            EventLoop.Queue(new Item(() => done.Add("work")));
        }
    }

    [Fact]
    public async Task Work_without_end_does_not_hold_up_what_is_to_be_written()
    {
        var (server, client) = await ConnectAsync();
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Item endless = null!;
        endless = new Item(() =>
        {
            if (!written.Task.IsCompleted) EventLoop.Queue(endless);
        });
        var waiting = Task.Run(async () =>
        {
            Assert.Equal(0, await server.ReadAsync(Memory<byte>.Empty));
            EventLoop.Queue(endless);
            _loop.QueueWrite(new Item(written.SetResult));
        });
        await Task.Delay(50);
        await client.SendAsync(new byte[1]);
        await waiting.WaitAsync(TestClient.Patience);
        await written.Task.WaitAsync(TestClient.Patience);
    }

    [Fact]
    public async Task When_it_is_stopped_nobody_waits_for_it()
    {
        var (server, _) = await ConnectAsync();
        var reading = server.ReadAsync(new byte[10]).AsTask();
        _loop.Dispose();
        Assert.Equal(0, await reading.WaitAsync(TestClient.Patience));
        await server.DisposeAsync();
        var elsewhere = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.QueueWrite(new Item(() => elsewhere.SetResult(Thread.CurrentThread.IsThreadPoolThread)));
        Assert.True(await elsewhere.Task.WaitAsync(TestClient.Patience));
        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<ObjectDisposedException>(() => _loop.Take(late));
    }

    sealed class Item(Action action) : IThreadPoolWorkItem
    {
        public void Execute() => action();
    }
}
