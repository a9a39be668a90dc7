namespace Streams.Queue;

/// <summary>What became of one message. Also a label of a metric, so the set is closed.</summary>
public enum PublishOutcome : byte
{
    /// <summary>Stored.</summary>
    Acknowledged = 0,

    /// <summary>A message with this id was stored within the duplicate window; this one was not stored again.</summary>
    Duplicate = 1,

    /// <summary>Not stored: the partition's quota or the disk is full. Backpressure: publish again later.</summary>
    QueueFull = 2,

    /// <summary>Stored or not, nobody knows: no answer in time, or the connection was lost. Stop the lane and resume it from the
    /// worker's watermark.</summary>
    Ambiguous = 3,

    /// <summary>Not stored, and would not be: no such stream, no permission, too large.</summary>
    Refused = 4,
}
