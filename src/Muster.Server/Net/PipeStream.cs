using System.Buffers;
using System.IO.Pipelines;
using Muster.Server.Loops;

namespace Muster.Server.Net;

/// <summary>A pair of pipes as the stream that <see cref="System.Net.Security.SslStream"/> wants below it.</summary>
/// <remarks>A read into an empty buffer waits for data and takes none: that is how an idle TLS connection
/// waits.</remarks>
sealed class PipeStream(IDuplexPipe pipe) : AsyncStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await pipe.Input.ReadAsync(cancellationToken);
        if (result.IsCanceled) throw new OperationCanceledException();
        var input = result.Buffer;
        int count = (int)Math.Min(input.Length, buffer.Length);
        var taken = input.Slice(0, count);
        taken.CopyTo(buffer.Span);
        pipe.Input.AdvanceTo(taken.End);
        return count;
    }

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await pipe.Output.WriteAsync(buffer, cancellationToken);
        if (result.IsCompleted || result.IsCanceled) throw new IOException("the peer reads no more");
    }

    /// <summary>Ends both pipes.</summary>
    public override async ValueTask DisposeAsync()
    {
        await pipe.Output.CompleteAsync();
        await pipe.Input.CompleteAsync();
        await base.DisposeAsync();
    }
}
