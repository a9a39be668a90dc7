namespace Streams.Wire.Messages;

/// <summary>State of one lane: <c>epoch 16 ‖ lane u32 ‖ committed u32</c>.</summary>
/// <param name="Epoch">The 16 epoch bytes as a big-endian number.</param>
/// <param name="Committed">Batches committed so far, i.e. the next expected n; batches below it may be freed.</param>
public readonly record struct LaneWatermark(UInt128 Epoch, uint Lane, uint Committed)
{
    internal const int Size = 24;

    internal void Write(ref WireWriter writer)
    {
        writer.U128(Epoch);
        writer.U32(Lane);
        writer.U32(Committed);
    }

    internal static LaneWatermark Read(ref WireReader reader) => new(reader.U128(), reader.U32(), reader.U32());
}
