namespace Streams.Wire.Messages;

/// <summary>Watermark (66), gateway to agent: <c>count u16 ‖ count × <see cref="LaneWatermark"/></c>. A delta: lanes that are not named
/// are unchanged.</summary>
public static class WatermarkMessage
{
    /// <returns>Length of the payload.</returns>
    public static int Write(ReadOnlySpan<LaneWatermark> watermarks, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(watermarks.Length, Limits.MaxWatermarks);
        var writer = new WireWriter(destination);
        WriteList(watermarks, ref writer);
        return writer.Position;
    }

    /// <summary>Room that <paramref name="count"/> watermarks need.</summary>
    public static int GetLength(int count) => 2 + count * LaneWatermark.Size;

    /// <param name="watermarks">At least <see cref="Limits.MaxWatermarks"/> long.</param>
    public static bool TryRead(ReadOnlySpan<byte> payload, Span<LaneWatermark> watermarks, out int count)
    {
        var reader = new WireReader(payload);
        return TryReadList(ref reader, watermarks, out count) && reader.AtEnd;
    }

    internal static void WriteList(ReadOnlySpan<LaneWatermark> watermarks, ref WireWriter writer)
    {
        writer.U16((ushort)watermarks.Length);
        foreach (var watermark in watermarks)
        {
            watermark.Write(ref writer);
        }
    }

    internal static bool TryReadList(ref WireReader reader, Span<LaneWatermark> watermarks, out int count)
    {
        count = reader.U16();
        if (reader.Failed || count > Limits.MaxWatermarks || count > watermarks.Length || reader.Remaining < count * LaneWatermark.Size)
        {
            count = 0;
            return false;
        }

        for (var i = 0; i < count; i++)
        {
            watermarks[i] = LaneWatermark.Read(ref reader);
        }

        return true;
    }
}
