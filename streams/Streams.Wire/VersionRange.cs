namespace Streams.Wire;

/// <summary>Versions of the protocol, both ends included.</summary>
public readonly record struct VersionRange
{
    public VersionRange(byte min, byte max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, min);
        Min = min;
        Max = max;
    }

    public byte Min { get; }

    public byte Max { get; }

    public bool Contains(byte version) => version >= Min && version <= Max;

    /// <summary>Null when there is none. Both ranges are in the transcript, so nobody in between can make them agree on less.</summary>
    public byte? HighestCommon(VersionRange other)
    {
        var highest = Math.Min(Max, other.Max);
        return highest >= Math.Max(Min, other.Min) ? highest : null;
    }
}
