namespace Streams.Queue;

/// <summary>Bounds of one partition's publisher.</summary>
public sealed record PublisherOptions
{
    /// <summary>Messages without an answer. 128 keeps nats-server busy (350-420 MB/s at 16-64 KB); more only lengthens the tail.</summary>
    public int WindowMessages { get; init; } = 128;

    /// <summary>Bytes without an answer; a single larger message still goes when nothing else is under way.</summary>
    public long WindowBytes { get; init; } = 8L << 20;

    /// <summary>Without an answer for this long a message is ambiguous. Above the longest stall of a healthy disk.</summary>
    public TimeSpan AcknowledgeTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
