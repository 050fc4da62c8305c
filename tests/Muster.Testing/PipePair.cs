using System.IO.Pipelines;

namespace Muster.Testing;

/// <summary>Two ends of a connection in memory, in place of two sockets.</summary>
public sealed class PipePair
{
    // What a kernel would buffer, about.
    static readonly PipeOptions Buffers = new(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024);

    readonly Pipe _toServer = new(Buffers);
    readonly Pipe _toClient = new(Buffers);

    public PipePair()
    {
        Client = new End(_toClient.Reader, _toServer.Writer);
        Server = new End(_toServer.Reader, _toClient.Writer);
    }

    /// <summary>The client's end.</summary>
    public IDuplexPipe Client { get; }

    /// <summary>The server's end.</summary>
    public IDuplexPipe Server { get; }

    /// <summary>Cuts the connection as a reset does: both sides see it at their next read or write.</summary>
    public void Reset()
    {
        var error = new IOException("connection reset");
        _toServer.Writer.Complete(error);
        _toClient.Writer.Complete(error);
        _toClient.Reader.CancelPendingRead();
        _toServer.Reader.CancelPendingRead();
        _toClient.Writer.CancelPendingFlush();
        _toServer.Writer.CancelPendingFlush();
    }

    sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
