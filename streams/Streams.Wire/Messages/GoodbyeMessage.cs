namespace Streams.Wire.Messages;

/// <summary>Why a gateway ends a session. Numbers are append only.</summary>
public enum GoodbyeReason : byte
{
    /// <summary>The gateway drains; every agent gets its own retry_after so that the move is spread.</summary>
    Drain = 1,

    /// <summary>A later session of this agent took over.</summary>
    Displaced = 2,

    /// <summary>The session is too old.</summary>
    Expired = 3,

    /// <summary>Frames that had come were dropped: send again from the next F0's watermarks.</summary>
    Resume = 4,

    /// <summary>The gateway's store is away; nothing is admitted.</summary>
    Unavailable = 5,

    /// <summary>The agent broke a rule of the protocol.</summary>
    Protocol = 6,

    /// <summary>The agent sends more messages, bytes or signatures a second than the gateway takes from one agent.</summary>
    Limit = 7,
}

/// <summary>Goodbye (68), gateway to agent: <c>reason u8 ‖ retry_after u32 (ms)</c>; the close follows.</summary>
/// <param name="RetryAfterMilliseconds">Do not reconnect sooner; 0 = at will (with jitter). At most one hour is honoured.</param>
public readonly record struct GoodbyeMessage(GoodbyeReason Reason, uint RetryAfterMilliseconds)
{
    public const int Length = 5;

    /// <returns>Length of the payload.</returns>
    public int Write(Span<byte> destination)
    {
        var writer = new WireWriter(destination);
        writer.U8((byte)Reason);
        writer.U32(RetryAfterMilliseconds);
        return writer.Position;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out GoodbyeMessage message)
    {
        var reader = new WireReader(payload);
        message = new GoodbyeMessage((GoodbyeReason)reader.U8(), reader.U32());
        return reader.AtEnd && message.Reason is >= GoodbyeReason.Drain and <= GoodbyeReason.Limit;
    }
}
