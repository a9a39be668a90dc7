using System.Runtime.InteropServices;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// The batches of one class, merged into one block: fixed columns and strings are copied, dictionaries united, columns that the
/// server knows filled in. The batches must stay unchanged until the block is reset. Reusable, not thread-safe.
/// </summary>
public sealed class ClassBlock : NativeBlock, IDisposable
{
    private const long DayInMicros = 86_400_000_000;

    private readonly LowCardinalityColumn _dictionary = new();
    private readonly List<Piece> _pieces = [];
    private int _rows;

    public ClassBlock(EventClass eventClass)
        : base(ClassTable.For(eventClass)) => Class = eventClass;

    public EventClass Class { get; }

    public override int Rows => _rows;

    public int Batches => _pieces.Count;

    /// <summary>About the bytes of the encoded block.</summary>
    public long EstimatedBytes { get; private set; }

    /// <summary>Columns of batches that were not stored because this build does not know them.</summary>
    public int IgnoredColumns { get; private set; }

    /// <summary>Adds a batch; false when the block would pass <see cref="NativeLimits"/> and must be inserted first.</summary>
    /// <exception cref="ArgumentException">The batch is of another class.</exception>
    public bool TryAdd(DecodedBatch batch, in BatchOrigin origin)
    {
        if (batch.Class.Id != Class.Id)
        {
            throw new ArgumentException($"a batch of {batch.Class.Name} does not belong into {Class.Name}");
        }

        var bytes = batch.BodyLength + (batch.Rows * (long)(ServerBytesPerRow + (batch.MissingColumns * 8)));
        if (_rows + batch.Rows > NativeLimits.MaxRows || EstimatedBytes + bytes > NativeLimits.MaxBytes)
        {
            return false;
        }

        _rows += batch.Rows;
        EstimatedBytes += bytes;
        IgnoredColumns += batch.IgnoredColumns;
        if (batch.Rows > 0)
        {
            _pieces.Add(new Piece(batch, origin));
        }

        return true;
    }

    /// <summary>Forgets the batches.</summary>
    public void Reset()
    {
        _pieces.Clear();
        _rows = 0;
        EstimatedBytes = 0;
        IgnoredColumns = 0;
    }

    public void Dispose() => _dictionary.Dispose();

    private const int ServerBytesPerRow = 1 + 1 + 8 + 8 + 4 + 4 + 4 + 8 + 4;

    protected override void EncodeColumn(int ordinal, SegmentedBuffer buffer)
    {
        if (ordinal < ServerColumns.All.Count)
        {
            EncodeServerColumn(ordinal, buffer);
            return;
        }

        ordinal -= ServerColumns.All.Count;
        switch (Class.Columns[ordinal].Type)
        {
            case ColumnType.Dictionary:
                EncodeDictionary(ordinal, buffer);
                break;
            case ColumnType.String:
                EncodeFlat(ordinal, 1, buffer); // an empty string is one zero byte
                break;
            case var type:
                EncodeFlat(ordinal, ColumnTypes.Width(type), buffer);
                break;
        }
    }

    private void EncodeFlat(int ordinal, int missingBytesPerRow, SegmentedBuffer buffer)
    {
        foreach (ref readonly var piece in CollectionsMarshal.AsSpan(_pieces))
        {
            if (piece.Batch.Has(ordinal))
            {
                buffer.Write(piece.Batch.Column(ordinal).Data);
            }
            else
            {
                buffer.Fill<byte>(0, piece.Batch.Rows * missingBytesPerRow);
            }
        }
    }

    private void EncodeDictionary(int ordinal, SegmentedBuffer buffer)
    {
        _dictionary.Clear();
        foreach (ref readonly var piece in CollectionsMarshal.AsSpan(_pieces))
        {
            if (piece.Batch.Has(ordinal))
            {
                _dictionary.Add(piece.Batch.Column(ordinal));
            }
        }

        _dictionary.EncodeHead(_rows, buffer);
        foreach (ref readonly var piece in CollectionsMarshal.AsSpan(_pieces))
        {
            if (piece.Batch.Has(ordinal))
            {
                _dictionary.EncodeIndices(piece.Batch.Column(ordinal), buffer);
            }
            else
            {
                _dictionary.EncodeMissing(piece.Batch.Rows, buffer);
            }
        }
    }

    private void EncodeServerColumn(int ordinal, SegmentedBuffer buffer)
    {
        if (ordinal is ServerColumns.AgentId or ServerColumns.Host)
        {
            EncodeText(ordinal, buffer);
            return;
        }

        foreach (ref readonly var piece in CollectionsMarshal.AsSpan(_pieces))
        {
            var header = piece.Batch.Header;
            switch (ordinal)
            {
                case ServerColumns.ReceivedAt:
                    buffer.Fill(piece.Origin.ReceivedAt, header.Rows);
                    break;
                case ServerColumns.Epoch:
                    buffer.Fill(header.Name.Epoch.Prefix, header.Rows);
                    break;
                case ServerColumns.Lane:
                    buffer.Fill(header.Name.Lane, header.Rows);
                    break;
                case ServerColumns.Batch:
                    buffer.Fill(header.Name.N, header.Rows);
                    break;
                case ServerColumns.Row:
                    EncodeRowNumbers(header.Rows, buffer);
                    break;
                case ServerColumns.SensorEpoch:
                    buffer.Fill(header.SensorEpoch.Prefix, header.Rows);
                    break;
                default:
                    EncodeServerFlags(piece, buffer);
                    break;
            }
        }
    }

    private void EncodeText(int ordinal, SegmentedBuffer buffer)
    {
        _dictionary.Clear();
        foreach (ref readonly var piece in CollectionsMarshal.AsSpan(_pieces))
        {
            _dictionary.Add(ordinal == ServerColumns.AgentId ? piece.Origin.AgentId : piece.Origin.Host);
        }

        _dictionary.EncodeHead(_rows, buffer);
        foreach (ref readonly var piece in CollectionsMarshal.AsSpan(_pieces))
        {
            _dictionary.EncodeConstant(piece.Batch.Rows, buffer);
        }
    }

    private static void EncodeRowNumbers(int rows, SegmentedBuffer buffer)
    {
        for (var i = 0; i < rows;)
        {
            var room = buffer.Room<uint>(rows - i);
            if (room.IsEmpty)
            {
                buffer.Fill((uint)i++, 1);
                continue;
            }

            for (var j = 0; j < room.Length; j++)
            {
                room[j] = (uint)(i + j);
            }

            buffer.Advance<uint>(room.Length);
            i += room.Length;
        }
    }

    private static void EncodeServerFlags(in Piece piece, SegmentedBuffer buffer)
    {
        var always = piece.Batch.IgnoredColumns > 0 ? ServerColumns.ColumnsIgnored : 0;
        if (!piece.Batch.Has(ClaimColumns.Time))
        {
            buffer.Fill(always | ServerColumns.ClockSuspect, piece.Batch.Rows); // time 0
            return;
        }

        // Runs of equal flags, nearly always one: a day either side, without overflow at the ends of Int64.
        var times = MemoryMarshal.Cast<byte, long>(piece.Batch.Column(ClaimColumns.Time).Data);
        var earliest = piece.Origin.ReceivedAt - DayInMicros;
        var start = 0;
        for (var i = 0; i < times.Length;)
        {
            var suspect = IsSuspect(times[i], earliest);
            start = i;
            while (++i < times.Length && IsSuspect(times[i], earliest) == suspect)
            {
            }

            buffer.Fill(always | (suspect ? ServerColumns.ClockSuspect : 0), i - start);
        }
    }

    private static bool IsSuspect(long time, long earliest) => time < earliest || (ulong)time - (ulong)earliest > 2 * DayInMicros;

    private readonly record struct Piece(DecodedBatch Batch, BatchOrigin Origin);
}
