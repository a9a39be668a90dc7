namespace Streams.Wire.Messages;

/// <summary>
/// Credit (65), gateway to agent: for lane class 0..5 <c>offset u64</c>, 48 bytes: the agent may send data frames of the class up to this
/// many bytes since the
/// start of the session, headers and tags included. Absolute: a repeat is harmless, a lower offset is ignored.
/// </summary>
public static class CreditMessage
{
    public const int Length = Limits.LaneClasses * 8;

    /// <param name="offsets">One entry per lane class.</param>
    /// <returns>Length of the payload.</returns>
    public static int Write(ReadOnlySpan<ulong> offsets, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(offsets.Length, Limits.LaneClasses);
        var writer = new WireWriter(destination);
        foreach (var offset in offsets)
        {
            writer.U64(offset);
        }

        return writer.Position;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, Span<ulong> offsets)
    {
        if (payload.Length != Length || offsets.Length < Limits.LaneClasses)
        {
            return false;
        }

        var reader = new WireReader(payload);
        for (var i = 0; i < Limits.LaneClasses; i++)
        {
            offsets[i] = reader.U64();
        }

        return true;
    }
}
