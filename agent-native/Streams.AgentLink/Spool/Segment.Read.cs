using System.Buffers;
using Streams.Schema;

namespace Streams.AgentLink.Spool;

/// <summary>The position from which the lane is read, and what stands there.</summary>
internal sealed partial class Segment
{
    private const int SearchBytes = 64 * 1024;

    /// <summary>n at the position.</summary>
    private uint _atN;

    /// <summary>Where the search for it begins: behind the record before.</summary>
    private long _atOffset = SegmentHeader.Size;
    private bool _found;

    /// <summary>The next record at or behind the position; its n is higher than <see cref="_atN"/> where records are destroyed.</summary>
    private RecordHeader _record;
    private long _recordOffset;

    /// <summary>What is sent in the place of the record, which turned out to be damaged.</summary>
    private byte[]? _tombstone;
    private uint _corruptBelow;

    public long BytesFrom(uint n)
    {
        if (n >= Next)
        {
            return 0;
        }

        // Never 0: something is there, however wrong the sum is where records are destroyed.
        return Math.Max(1, n == _atN ? _tail - _atOffset - (long)(Next - n) * RecordHeader.Size
            : (_tail - SegmentHeader.Size - (long)Next * RecordHeader.Size) * (Next - n) / Next);
    }

    public int LengthOf(uint n) => Seek(n) ? CurrentLength : 0;

    public ushort ClassOf(uint n)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Limits.MaxStoredBytes);
        var known = Seek(n) && ReadPrefix(buffer) is var prefix and > 0
            && BatchHeader.TryRead(buffer.AsSpan(0, prefix), out var header, out _)
            ? header.ClassId : (ushort)0;
        ArrayPool<byte>.Shared.Return(buffer);
        return known;
    }

    public int CopyFrom(uint n, Span<byte> destination, out int count)
    {
        var length = 0;
        count = 0;
        while (n + (uint)count < Next && Seek(n + (uint)count))
        {
            var part = CurrentLength;
            if (part > destination.Length - length)
            {
                break;
            }

            if (Read(destination.Slice(length, part)))
            {
                length += part;
                count++;
            }
        }

        // So that what follows is known without a search.
        if (count > 0 && n + (uint)count == Next)
        {
            Seek(Next);
        }

        return length;
    }

    /// <summary>Tells of every ledger entry in the segment. What is damaged accounts for nothing.</summary>
    internal void Visit(SpooledEntryVisitor visitor, DecodedLedger ledger)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Limits.MaxStoredBytes);
        for (var n = 0u; n < Next && Seek(n); n++)
        {
            if (ReadPrefix(buffer) is var prefix && prefix > 0 && BatchHeader.TryRead(buffer.AsSpan(0, prefix), out var header, out _)
                && ledger.TryRead(buffer.AsSpan(BatchHeader.Size, prefix - BatchHeader.Size), header))
            {
                foreach (var entry in ledger.Entries)
                {
                    visitor(header.SensorEpoch, header.ClassId, entry, ledger.Losses(entry));
                }
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        CloseFile();
    }

    private int CurrentLength => _atN < _record.N ? Tombstone.BareSize : _tombstone?.Length ?? _record.Length;

    /// <summary>Moves the position to <paramref name="n"/>. False when the file cannot be read now.</summary>
    private bool Seek(uint n)
    {
        if (!IsOpen())
        {
            return false;
        }

        if (n < _atN)
        {
            ToStart();
        }

        while (true)
        {
            if (!_found && n < Next)
            {
                Find(_atOffset, _atN, _tail);
                _found = true;
            }

            if (!_found || n <= _record.N)
            {
                _atN = n;
                return true;
            }

            _atN = _record.N + 1;
            _atOffset = _recordOffset + RecordHeader.Size + _record.Length;
            _found = false;
            _tombstone = null;
        }
    }

    private void ToStart()
    {
        _atN = 0;
        _atOffset = SegmentHeader.Size;
        _found = false;
        _tombstone = null;
    }

    /// <summary>Copies what stands at the position; false when it turned out to be damaged: its length is another now.</summary>
    private bool Read(Span<byte> destination)
    {
        if (_atN < _record.N)
        {
            Tombstone.WriteBare(new BatchName(Name.Epoch, Name.Lane, _atN), Name.Priority, destination);
            CountCorrupt();
            return true;
        }

        if (_tombstone is { } tombstone)
        {
            tombstone.CopyTo(destination);
            return true;
        }

        if (TryRead(destination, _recordOffset + RecordHeader.Size) == destination.Length
            && Crc32C.Compute(destination[.._record.Prefix]) == _record.PrefixSum
            && Crc32C.Compute(destination[_record.Prefix..]) == _record.RestSum)
        {
            return true;
        }

        CountCorrupt();
        var buffer = ArrayPool<byte>.Shared.Rent(Limits.MaxStoredBytes * 2);
        _tombstone = buffer.AsSpan(0, WriteTombstone(buffer, LossCause.SpoolCorrupt, out _, out _)).ToArray();
        ArrayPool<byte>.Shared.Return(buffer);
        return false;
    }

    /// <summary>Writes the tombstone of what stands at the position; bare when header and ledger are damaged.</summary>
    /// <param name="buffer">Room for two batches.</param>
    /// <returns>Its length; it starts at <paramref name="buffer"/>'s first byte.</returns>
    private int WriteTombstone(Span<byte> buffer, LossCause cause, out int rows, out bool damaged)
    {
        var target = buffer[..Limits.MaxStoredBytes];
        var source = buffer[Limits.MaxStoredBytes..];
        rows = 0;
        var prefix = _atN < _record.N ? 0 : ReadPrefix(source);
        var length = prefix == 0 ? 0 : Tombstone.Write(source[..prefix], cause, target);
        damaged = length == 0;
        if (damaged)
        {
            return Tombstone.WriteBare(new BatchName(Name.Epoch, Name.Lane, _atN), Name.Priority, target);
        }

        rows = BatchHeader.TryRead(source, out var header, out _) ? header.Rows : 0;
        return length;
    }

    /// <summary>Reads header and ledger of the record at the position; 0 when they are damaged or not there.</summary>
    private int ReadPrefix(Span<byte> destination)
    {
        if (_atN < _record.N)
        {
            return 0;
        }

        var prefix = destination[.._record.Prefix];
        return TryRead(prefix, _recordOffset + RecordHeader.Size) == prefix.Length && Crc32C.Compute(prefix) == _record.PrefixSum
            ? prefix.Length : 0;
    }

    /// <summary>False when the file cannot be opened now. One that is gone is as good as destroyed.</summary>
    private bool IsOpen()
    {
        try
        {
            _handle ??= OpenFile();
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _counters.Failed($"{_path}: {exception.Message}");
            return false;
        }
    }

    /// <summary>Finds the first record at or behind <paramref name="offset"/> that is whole, with at least <paramref name="n"/>; where
    /// there is none, all that is left is taken for destroyed.</summary>
    private void Find(long offset, uint n, long limit)
    {
        Span<byte> start = stackalloc byte[RecordHeader.Size];
        if (!(TryRead(start, offset) == start.Length && IsRecord(start, offset, n, limit)) && !Search(offset + 1, n, limit))
        {
            _record = new RecordHeader(uint.MaxValue, 0, 0, 0, 0);
        }
    }

    private bool IsRecord(ReadOnlySpan<byte> start, long offset, uint n, long limit)
    {
        if (!RecordHeader.TryRead(start, _salt, out var record) || record.N < n || offset + RecordHeader.Size + record.Length > limit)
        {
            return false;
        }

        _record = record;
        _recordOffset = offset;
        return true;
    }

    /// <summary>Looks for the next record byte by byte, behind one that is destroyed.</summary>
    private bool Search(long offset, uint n, long limit)
    {
        Span<byte> magic = stackalloc byte[sizeof(uint)];
        BitConverter.TryWriteBytes(magic, RecordHeader.Magic);
        var buffer = ArrayPool<byte>.Shared.Rent(SearchBytes);
        var found = false;
        while (!found && limit - offset >= RecordHeader.Size)
        {
            // A part that the disk does not give is stepped over: the records behind it may be whole.
            var read = Math.Max(TryRead(buffer.AsSpan(0, SearchBytes), offset), 0);
            for (var at = 0; !found && at + RecordHeader.Size <= read; at++)
            {
                var next = buffer.AsSpan(at, read - at).IndexOf(magic);
                if (next < 0)
                {
                    break;
                }

                at += next;
                found = at + RecordHeader.Size <= read && IsRecord(buffer.AsSpan(at), offset + at, n, limit);
            }

            offset += read < RecordHeader.Size ? SearchBytes : read - RecordHeader.Size + 1;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return found;
    }

    /// <summary>Walks to the last whole record.</summary>
    private void FindEnd()
    {
        var length = RandomAccess.GetLength(_handle!);
        _tail = SegmentHeader.Size;
        for (Find(_tail, 0, length); _record.N != uint.MaxValue; Find(_tail, Next, length))
        {
            Next = _record.N + 1;
            _tail = _recordOffset + RecordHeader.Size + _record.Length;
        }

        ToStart();
    }

    /// <returns>Bytes read, fewer at the end of the file; -1 when the disk refuses.</returns>
    private int TryRead(Span<byte> destination, long offset)
    {
        try
        {
            return _handle is null ? 0 : RandomAccess.Read(_handle, destination, offset);
        }
        catch (IOException exception)
        {
            _counters.Failed($"{_path}: {exception.Message}");
            return -1;
        }
    }

    private void CountCorrupt()
    {
        if (_atN >= _corruptBelow)
        {
            _corruptBelow = _atN + 1;
            _counters.BatchesCorrupt++;
        }
    }
}
