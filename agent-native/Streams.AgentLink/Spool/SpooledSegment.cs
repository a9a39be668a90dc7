using Streams.Schema;

namespace Streams.AgentLink.Spool;

/// <summary>One lane on the disk, as it was when it was looked at.</summary>
public sealed record SpooledSegment
{
    public required Epoch Epoch { get; init; }

    public required uint Lane { get; init; }

    public required PriorityClass Priority { get; init; }

    public required uint Batches { get; init; }

    /// <summary>Batches from the first on that the server has, as last noted.</summary>
    public required uint Committed { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>When the lane began: its oldest batch is not older.</summary>
    public required DateTimeOffset Created { get; init; }

    public required bool Sealed { get; init; }

    /// <summary>Its rows were given up.</summary>
    public required bool Evicted { get; init; }
}
