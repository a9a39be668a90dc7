namespace Streams.Wire.Messages;

/// <summary>Want (3), agent to gateway: for lane class 0..5 <c>next_frame u32 ‖ queued u32</c>, 48 bytes. The latest one counts.</summary>
public static class WantMessage
{
    public const int Length = Limits.LaneClasses * 8;

    /// <param name="wants">One entry per lane class.</param>
    /// <returns>Length of the payload.</returns>
    public static int Write(ReadOnlySpan<ClassWant> wants, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(wants.Length, Limits.LaneClasses);
        var writer = new WireWriter(destination);
        foreach (var want in wants)
        {
            writer.U32(want.NextFrameBytes);
            writer.U32(want.QueuedBytes);
        }

        return writer.Position;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, Span<ClassWant> wants)
    {
        if (payload.Length != Length || wants.Length < Limits.LaneClasses)
        {
            return false;
        }

        var reader = new WireReader(payload);
        for (var i = 0; i < Limits.LaneClasses; i++)
        {
            wants[i] = new ClassWant(reader.U32(), reader.U32());
            if (wants[i].NextFrameBytes > Limits.MaxFrameBytes)
            {
                return false;
            }
        }

        return true;
    }
}
