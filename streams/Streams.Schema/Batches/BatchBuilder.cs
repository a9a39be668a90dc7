using System.Runtime.CompilerServices;

namespace Streams.Schema;

/// <summary>
/// Collects rows of one class in columns and seals them into a batch. Reusable and not thread-safe. After warm-up appending
/// allocates nothing. A row: <see cref="TryBeginRow"/>, setters by column ordinal in any order, <see cref="EndRow"/>; columns not
/// set get their default. A batch: rows, <see cref="TryAddLedger"/>, <c>Seal</c>, <see cref="Reset"/>.
/// </summary>
/// <remarks>Setters check the type of the column and that it is set once a row; a violation is a bug of the caller and throws.</remarks>
public sealed partial class BatchBuilder : IDisposable
{
    private readonly ColumnBuffer[] _columns;
    private readonly BatchCompressor _compressor;
    private readonly bool _ownsCompressor;
    private readonly BuilderOptions _options;
    private readonly ulong _allColumns;
    private readonly int _fixedRowBytes;
    private readonly int _stringOverhead;
    private readonly int _maxBytes;
    private int _rows;
    private int _capacity;
    private int _variableBytes;
    private ulong _set;
    private bool _inRow;

    /// <param name="compressor">Shared by the builders of one thread; null makes one of its own.</param>
    public BatchBuilder(EventClass eventClass, BuilderOptions? options = null, BatchCompressor? compressor = null)
        : this(eventClass, options, compressor, room: 0)
    {
    }

    private BatchBuilder(EventClass eventClass, BuilderOptions? options, BatchCompressor? compressor, int room)
    {
        _options = options ?? BuilderOptions.Default;
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxRows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_options.MaxRows, Limits.MaxRows);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxBytes, 4096);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_options.MaxBytes, Limits.MaxDecodedBytes);
        _maxBytes = _options.MaxBytes + room;
        Class = eventClass;
        _ownsCompressor = compressor is null;
        _compressor = compressor ?? new BatchCompressor();
        _columns = new ColumnBuffer[eventClass.Columns.Count];
        for (var i = 0; i < _columns.Length; i++)
        {
            var column = _columns[i] = new ColumnBuffer(eventClass.Columns[i]);
            _fixedRowBytes += column.Width;
            _variableBytes += ColumnDescriptor.Size;
            if (column.Type is ColumnType.String or ColumnType.Dictionary)
            {
                _stringOverhead += Varuint.MaxBytes;
            }
        }

        _allColumns = _columns.Length == 64 ? ulong.MaxValue : (1UL << _columns.Length) - 1;
        Reset();
    }

    /// <summary>
    /// A builder that takes the rows of any batch back for <see cref="DigestAs"/>: indices are 4 bytes here whatever they were there, so
    /// that it needs more room than the batch had. It cannot seal all that it takes.
    /// </summary>
    public static BatchBuilder ForDigest(EventClass eventClass) => new(
        eventClass, new BuilderOptions { MaxRows = Limits.MaxRows, MaxBytes = Limits.MaxDecodedBytes }, null, room: Limits.MaxRows * 4 * Limits.MaxClassColumns);

    public EventClass Class { get; }

    /// <summary>Finished rows.</summary>
    public int RowCount => _rows;

    /// <summary>Bytes of the decoded body if it were sealed now; an upper bound, exact but for the width of dictionary indices.</summary>
    public int EstimatedBytes => _variableBytes + (_rows * _fixedRowBytes);

    /// <summary>True when there is neither a row nor a ledger entry.</summary>
    public bool IsEmpty => _rows == 0 && LedgerCount == 0;

    /// <summary>True when not even a row of empty strings fits: seal and reset.</summary>
    public bool IsFull => !Fits(0);

    /// <summary>Longest sum of string bytes that a row may have in an empty builder; truncate longer rows.</summary>
    public int MaxRowStringBytes => _maxBytes - _fixedRowBytes - _stringOverhead - EmptyBytes;

    private int EmptyBytes { get; set; }

    /// <summary>Begins a row if it fits, given the sum of the lengths of its strings; false: seal and reset first.</summary>
    public bool TryBeginRow(int stringBytes = 0)
    {
        if (_inRow)
        {
            throw new InvalidOperationException("the row before was not ended");
        }

        if (!Fits(stringBytes))
        {
            return false;
        }

        if (_rows == _capacity)
        {
            Grow();
        }

        _inRow = true;
        _set = 0;
        return true;
    }

    /// <summary>Ends the row; columns that were not set get their default.</summary>
    public void EndRow()
    {
        if (!_inRow)
        {
            throw new InvalidOperationException("no row was begun");
        }

        for (var missing = _allColumns & ~_set; missing != 0; missing &= missing - 1)
        {
            var column = _columns[System.Numerics.BitOperations.TrailingZeroCount(missing)];
            column.WriteDefault(_rows);
            if (column.Type == ColumnType.String)
            {
                _variableBytes++;
            }
        }

        _rows++;
        _inRow = false;
    }

    /// <summary>Forgets all rows and ledger entries and keeps the memory.</summary>
    public void Reset()
    {
        _rows = 0;
        _inRow = false;
        _variableBytes = 0;
        foreach (var column in _columns)
        {
            column.Clear();
            _variableBytes += ColumnDescriptor.Size + (column.Keys is null ? 0 : 4 + 1 + 1);
        }

        EmptyBytes = _variableBytes;
        ClearLedger();
    }

    public void Dispose()
    {
        if (_ownsCompressor)
        {
            _compressor.Dispose();
        }
    }

    private bool Fits(int stringBytes) =>
        _rows < _options.MaxRows
        && EstimatedBytes + (long)_fixedRowBytes + _stringOverhead + stringBytes <= _maxBytes;

    private void Grow()
    {
        _capacity = Math.Min(_options.MaxRows, Math.Max(_capacity * 2, Math.Max(1, _options.InitialRows)));
        foreach (var column in _columns)
        {
            column.Grow(_capacity);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ColumnBuffer Take(int ordinal, ColumnType type)
    {
        var column = _columns[ordinal];
        var bit = 1UL << ordinal;
        if (column.Type != type || (_set & bit) != 0 || !_inRow)
        {
            ThrowMisuse(ordinal, type);
        }

        _set |= bit;
        return column;
    }

    private void ThrowMisuse(int ordinal, ColumnType type)
    {
        var column = Class.Columns[ordinal];
        throw new InvalidOperationException(
            !_inRow ? $"{Class.Name}: no row was begun"
            : column.Type != type ? $"{Class.Name}: column {column} is not {type}"
            : $"{Class.Name}: column {column} was set twice in one row");
    }
}
