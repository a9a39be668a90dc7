namespace Streams.Storage;

/// <summary>Bounds of one block, so that the server does not split it: one block is one part, and one token covers it.</summary>
public static class NativeLimits
{
    /// <summary>ClickHouse's min_insert_block_size_rows is 1,048,449; at or above it blocks are cut.</summary>
    public const int MaxRows = 1_048_448;

    /// <summary>min_insert_block_size_bytes is 256 MiB, counted in memory where strings cost 8 bytes more and indices up to 4.</summary>
    public const long MaxBytes = 200L * 1024 * 1024;
}
