namespace Streams.Checker.Journals;

/// <summary>What one process of a source emitted under one sensor epoch: the numbers 1 to <see cref="Kept"/> for certain, those up to
/// <see cref="Intended"/> perhaps (it was killed between writing them down and hearing that they were kept).</summary>
public sealed record Incarnation
{
    /// <summary>First 8 bytes of the sensor epoch, as the tables have it.</summary>
    public required ulong SensorEpoch { get; init; }

    /// <summary>Last number that the source began to emit.</summary>
    public ulong Intended { get; init; }

    /// <summary>Last number that was taken over: from here on it may not be lost.</summary>
    public ulong Kept { get; init; }
}
