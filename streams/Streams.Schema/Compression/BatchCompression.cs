namespace Streams.Schema;

/// <summary>How the body of a batch is stored. On the wire: append only.</summary>
public enum BatchCompression : byte
{
    None = 0,

    /// <summary>One LZ4 block, without frame.</summary>
    Lz4 = 1,

    /// <summary>One zstd frame.</summary>
    Zstd = 2,
}
