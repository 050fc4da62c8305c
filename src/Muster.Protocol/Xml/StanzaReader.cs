using System.Buffers;

namespace Muster.Protocol.Xml;

/// <summary>Reads a stream incrementally: one item per call.</summary>
public sealed class StanzaReader
{
    /// <summary>Reads one item.</summary>
    public bool TryRead(in ReadOnlySequence<byte> input, out SequencePosition consumed, out XmlItem item) =>
        throw new NotImplementedException();
}
