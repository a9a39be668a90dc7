using Streams.Worker.Decode;

namespace Streams.Worker.Ranges;

/// <summary>
/// A contiguous run of one partition's messages that is committed together. It may end inside a message: then the stream is trimmed
/// only up to the message before. All its batches were received on one day (UTC), so that they go to one part of each table.
/// </summary>
internal sealed class BatchRange(int partition, CloseReason reason, List<StagedBatch> batches) : IDisposable
{
    public int Partition { get; } = partition;

    public CloseReason Reason { get; } = reason;

    /// <summary>In order of the stream.</summary>
    public IReadOnlyList<StagedBatch> Batches => batches;

    public int Rows { get; init; }

    /// <summary>Sum of <see cref="StagedBatch.Bytes"/>.</summary>
    public long Bytes { get; init; }

    /// <summary>Days since 1970 of its batches' time of receipt.</summary>
    public int Day { get; init; }

    /// <summary>Last stream sequence that is consumed completely; 0 when the range ends inside its first message.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>Returns the batches to their pool.</summary>
    public void Dispose()
    {
        foreach (var batch in batches)
        {
            batch.Dispose();
        }

        batches.Clear();
    }
}
