using System.ComponentModel;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Muster.Server.Loops;

/// <summary>An address whose connections belong to event loops, where the system has them.</summary>
sealed class LoopEndPoint(IPAddress address, int port) : IPEndPoint(address, port);

/// <summary>Kestrel's transport for <see cref="LoopEndPoint"/>s: it accepts, event loops do the rest. There is one for
/// each processor; connections go to one after the other.</summary>
sealed class LoopTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(10);

    readonly EventLoop[] _loops =
        [.. Enumerable.Range(0, Environment.ProcessorCount).Select(i => new EventLoop($"muster loop {i}"))];
    int _next;

    /// <summary>Whether the system has what it takes.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is LoopEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.Listen(new SocketTransportOptions().Backlog);
            return new(new Listener(this, socket));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(error.Message, error);
        }
    }

    /// <summary>Stops the loops.</summary>
    public void Dispose()
    {
        foreach (var loop in _loops) loop.Dispose();
    }

    EventLoop Next() => _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];

    sealed class Listener(LoopTransport transport, Socket socket) : IConnectionListener
    {
        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                Socket? accepted = null;
                try
                {
                    accepted = await socket.AcceptAsync(cancellationToken);
                    accepted.NoDelay = true;
                    var remote = accepted.RemoteEndPoint;
                    return new LoopConnection(transport.Next().Take(accepted), remote);
                }
                catch (Exception error) when (error is ObjectDisposedException
                    or SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    accepted?.Dispose();
                    return null;
                }
                catch (Exception error) when (error is SocketException or Win32Exception)
                {
                    // The peer has gone already, or the system has no descriptors left: that may last.
                    accepted?.Dispose();
                    await Task.Delay(AcceptPause, cancellationToken);
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            socket.Dispose();
            return default;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return default;
        }
    }
}

/// <summary>A connection whose socket belongs to an event loop.</summary>
sealed class LoopConnection(LoopSocket socket, EndPoint? remote) : ConnectionContext
{
    IDuplexPipe? _transport;

    /// <summary>Its bytes.</summary>
    public LoopSocket Socket { get; } = socket;

    /// <inheritdoc/>
    public override string ConnectionId { get; set; } = "";

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint { get; set; } = remote;

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; } = new FeatureCollection();

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => _transport ?? throw new NotSupportedException($"it is read by way of {nameof(Socket)}");
        set => _transport = value;
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => Socket.Abort();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await Socket.DisposeAsync();
        await base.DisposeAsync();
    }
}
