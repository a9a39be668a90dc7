using System.Buffers;

namespace Streams.Schema;

/// <summary>
/// A checked, decompressed batch. Reusable: decoding into it again replaces the content. Holds one pooled buffer that
/// <see cref="Dispose"/> returns; it does not refer to the bytes it was decoded from.
/// </summary>
public sealed class DecodedBatch : IDisposable
{
    private readonly Slot[] _slots = new Slot[Limits.MaxClassColumns];
    private byte[] _buffer = [];

    public BatchHeader Header { get; internal set; }

    /// <summary>The class of the rows.</summary>
    public EventClass Class { get; internal set; } = Catalogue.Classes[0];

    public DecodedLedger Ledger { get; } = new();

    public int Rows => Header.Rows;

    /// <summary>Bytes of the columns as they are here, which encoded columns are many times less of on the way (<see cref="BatchHeader.DecodedLength"/>).</summary>
    public int BodyLength { get; internal set; }

    /// <summary>Columns that this build does not know; they were skipped.</summary>
    public int IgnoredColumns { get; internal set; }

    /// <summary>Bit i: the column with ordinal i is in the batch.</summary>
    public ulong Present { get; internal set; }

    /// <summary>Columns of the class that the batch does not carry and the merger fills with defaults (0 for a batch without rows).</summary>
    public int MissingColumns => Rows == 0 ? 0 : Class.Columns.Count - System.Numerics.BitOperations.PopCount(Present);

    /// <summary>True when the batch carries the column with this ordinal.</summary>
    public bool Has(int ordinal) => (Present & (1UL << ordinal)) != 0;

    /// <summary>The column by its ordinal in <see cref="EventClass.Columns"/>.</summary>
    /// <exception cref="InvalidOperationException">The batch does not carry it: ask <see cref="Has"/>.</exception>
    public DecodedColumn Column(int ordinal)
    {
        if (!Has(ordinal))
        {
            throw new InvalidOperationException($"the batch has no column {Class.Columns[ordinal].Name}");
        }

        ref readonly var slot = ref _slots[ordinal];
        var data = _buffer.AsSpan(slot.Start, slot.Length);
        var column = Class.Columns[ordinal];
        if (column.Type != ColumnType.Dictionary)
        {
            return new DecodedColumn { Id = column.Id, Type = column.Type, Data = data };
        }

        return new DecodedColumn
        {
            Id = column.Id,
            Type = column.Type,
            Data = data,
            KeyCount = slot.KeyCount,
            Keys = data.Slice(4, slot.KeysLength),
            IndexWidth = slot.IndexWidth,
            Indices = data[(4 + slot.KeysLength + 1)..],
        };
    }

    /// <summary>Returns the buffer to its pool; the batch may be decoded into again.</summary>
    public void Dispose()
    {
        if (_buffer.Length != 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }

        Present = 0;
    }

    internal Span<byte> Body(int length)
    {
        if (_buffer.Length < length)
        {
            Dispose();
            _buffer = ArrayPool<byte>.Shared.Rent(length);
        }

        return _buffer.AsSpan(0, length);
    }

    internal void SetSlot(int ordinal, in Slot slot)
    {
        _slots[ordinal] = slot;
        Present |= 1UL << ordinal;
    }

    /// <summary>Where a column lies in the body.</summary>
    internal readonly record struct Slot(int Start, int Length, int KeyCount = 0, int KeysLength = 0, int IndexWidth = 0);
}
