namespace LibbpfSharp.Ring;

/// <summary>A record in the ring's own memory, valid until the reader commits or is disposed of.</summary>
public readonly ref struct RingRecord
{
    internal RingRecord(ReadOnlySpan<byte> data) => Data = data;

    /// <summary>The bytes that the program submitted; 8-byte aligned.</summary>
    public ReadOnlySpan<byte> Data { get; }
}
