using Streams.Schema;

namespace Streams.Queue.Producing;

/// <summary>Whole batches of one lane under consecutive numbers, as a frame of an agent has them.</summary>
/// <param name="Bytes">The batches.</param>
/// <param name="First">Number of the first.</param>
/// <param name="Count">How many.</param>
/// <param name="Rows">Rows in all of them.</param>
internal readonly record struct RowMessage(Memory<byte> Bytes, uint First, uint Count, long Rows)
{
    /// <summary>Number of committed batches at which all of it is committed.</summary>
    public uint End => First + Count;

    /// <summary>The same batches from number 0 of another epoch; their rows keep their sensor epoch and sequence.</summary>
    public RowMessage Rename(Epoch epoch)
    {
        var at = 0;
        var n = 0u;
        while (at < Bytes.Length && BatchHeader.TryRead(Bytes.Span[at..], out var header, out _))
        {
            (header with { Name = new BatchName(epoch, header.Name.Lane, n++) }).Write(Bytes.Span[at..]);
            at += header.TotalLength;
        }

        return this with { First = 0 };
    }
}
