namespace Streams.Schema;

/// <summary>Bounds of a <see cref="BatchBuilder"/>. The defaults suit the agent: memory grows from a few KB and stays below 0.5 MB a class.</summary>
public sealed record BuilderOptions
{
    public static BuilderOptions Default { get; } = new();

    /// <summary>Rows at which the batch is full, 1 to 65,536.</summary>
    public int MaxRows { get; init; } = 1_000;

    /// <summary>
    /// Decoded bytes at which the batch is full. At most <see cref="Limits.SafeDecodedBytes"/> it can always be sealed; above
    /// (up to 4 MiB) a body that compresses badly may not fit and <see cref="BatchBuilder.Seal(BatchName, in BatchStamp,
    /// BatchCompression, Span{byte})"/> then returns 0.
    /// </summary>
    public int MaxBytes { get; init; } = Limits.SafeDecodedBytes;

    /// <summary>Rows for which space is made at the first row; doubled until <see cref="MaxRows"/>.</summary>
    public int InitialRows { get; init; } = 64;
}
