namespace Streams.Bench.Load;

/// <summary>What the rows of a load look like; the same options and seed give the same bytes.</summary>
internal sealed record MixOptions
{
    public int Seed { get; init; } = 1;

    public int BatchRows { get; init; } = 1000;

    /// <summary>The first of <see cref="EventMix.Classes"/>: two make the published mix, more take turns.</summary>
    public int Classes { get; init; } = 2;

    /// <summary>Different programs: values of the dictionary columns.</summary>
    public int Programs { get; init; } = 100;

    /// <summary>Different arguments that argument lists are drawn from.</summary>
    public int Words { get; init; } = 2000;

    /// <summary>Bytes added to every argument; 0 leaves some 30.</summary>
    public int ArgumentBytes { get; init; }
}
