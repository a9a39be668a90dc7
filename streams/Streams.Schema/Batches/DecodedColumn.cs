namespace Streams.Schema;

/// <summary>A checked column of a <see cref="DecodedBatch"/>; its spans live as long as the batch is not decoded into again.</summary>
public readonly ref struct DecodedColumn
{
    public ushort Id { get; init; }

    public ColumnType Type { get; init; }

    /// <summary>Fixed types: the flat array. String: per row varuint length and bytes. Dictionary: everything.</summary>
    public ReadOnlySpan<byte> Data { get; init; }

    /// <summary>Dictionary: the keys as varuint length and bytes; key 0 is the empty string.</summary>
    public ReadOnlySpan<byte> Keys { get; init; }

    /// <summary>Dictionary: number of keys.</summary>
    public int KeyCount { get; init; }

    /// <summary>Dictionary: bytes per index, 1, 2 or 4.</summary>
    public int IndexWidth { get; init; }

    /// <summary>Dictionary: one index per row, each below <see cref="KeyCount"/>.</summary>
    public ReadOnlySpan<byte> Indices { get; init; }

    /// <summary>Walks the strings of a String column or the keys of a Dictionary column.</summary>
    public StringRows Strings() => new(Type == ColumnType.Dictionary ? Keys : Data);
}
