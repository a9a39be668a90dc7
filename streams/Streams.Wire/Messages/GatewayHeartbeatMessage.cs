namespace Streams.Wire.Messages;

/// <summary>
/// Gateway heartbeat (67): <c>sent_at u64 (gateway, Unix µs) ‖ echo u64 (sent_at of the agent's last heartbeat
/// plus the µs the gateway has kept it, 0 = none) ‖ watermarks (count u16, entries)</c>;
/// the watermarks are the full state, so a lost delta heals here.
/// </summary>
public static class GatewayHeartbeatMessage
{
    public static int GetLength(int count) => 16 + WatermarkMessage.GetLength(count);

    /// <returns>Length of the payload.</returns>
    public static int Write(ulong sentAt, ulong echo, ReadOnlySpan<LaneWatermark> watermarks, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(watermarks.Length, Limits.MaxWatermarks);
        var writer = new WireWriter(destination);
        writer.U64(sentAt);
        writer.U64(echo);
        WatermarkMessage.WriteList(watermarks, ref writer);
        return writer.Position;
    }

    /// <param name="watermarks">At least <see cref="Limits.MaxWatermarks"/> long.</param>
    public static bool TryRead(ReadOnlySpan<byte> payload, Span<LaneWatermark> watermarks, out ulong sentAt, out ulong echo, out int count)
    {
        var reader = new WireReader(payload);
        sentAt = reader.U64();
        echo = reader.U64();
        return WatermarkMessage.TryReadList(ref reader, watermarks, out count) && reader.AtEnd;
    }
}
