using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Streams.Schema;

namespace Streams.AgentLink.Spool;

/// <summary>Giving up the rows of a whole lane: the numbers and the ledger stay.</summary>
internal sealed partial class Segment
{
    internal const string TemporaryExtension = ".tmp";
    private const int WriteBytes = 64 * 1024;

    /// <summary>
    /// Replaces the file by one of tombstones. What is committed keeps its number too, under the cause server_lost: it is only sent again
    /// when the server has lost it. False, with nothing changed, when the disk refuses.
    /// </summary>
    internal bool TryEvict()
    {
        var beside = _path + TemporaryExtension;
        long tail;
        ulong batches;
        ulong rows;
        try
        {
            using var file = File.OpenHandle(beside, FileMode.Create, FileAccess.Write, FileShare.Read);
            tail = WriteTombstones(file, out batches, out rows);
            RandomAccess.FlushToDisk(file);
            File.Move(beside, _path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _counters.Failed($"{beside}: {exception.Message}");
            TryDelete(beside);
            ToStart();
            return false;
        }

        _handle?.Dispose();
        _handle = null;
        Dirty = false;
        _markDirty = false;
        _flags |= SegmentHeader.Flags.Tombstones;
        _tail = tail;
        _corruptBelow = Next;
        ToStart();
        _counters.BatchesEvicted += batches;
        _counters.RowsEvicted += rows;
        return true;
    }

    private long WriteTombstones(SafeFileHandle file, out ulong batches, out ulong rows)
    {
        batches = 0;
        rows = 0;
        var read = ArrayPool<byte>.Shared.Rent(Limits.MaxStoredBytes * 2);
        var write = ArrayPool<byte>.Shared.Rent(WriteBytes + RecordHeader.Size + Limits.MaxStoredBytes);
        try
        {
            SegmentHeader.WriteFixed(write, Name, Created);
            SegmentHeader.WriteMark(write.AsSpan(SegmentHeader.FixedSize), _flags | SegmentHeader.Flags.Tombstones, _committed, _signed);
            var filled = SegmentHeader.Size;
            var offset = 0L;
            ToStart();
            for (var n = 0u; n < Next; n++)
            {
                if (!Seek(n))
                {
                    throw new IOException(_counters.LastError);
                }

                var lost = n < _committed ? LossCause.ServerLost : LossCause.SpoolEvicted;
                var length = WriteTombstone(read, lost, out var moved, out var damaged);
                if (damaged)
                {
                    CountCorrupt();
                }
                else if (n >= _committed)
                {
                    batches++;
                    rows += (ulong)moved;
                }

                var record = write.AsSpan(filled, RecordHeader.Size + length);
                read.AsSpan(0, length).CopyTo(record[RecordHeader.Size..]);
                RecordHeader.Write(record, n, _salt);
                filled += record.Length;
                if (filled >= WriteBytes || n + 1 == Next)
                {
                    RandomAccess.Write(file, write.AsSpan(0, filled), offset);
                    offset += filled;
                    filled = 0;
                }
            }

            return offset;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(read);
            ArrayPool<byte>.Shared.Return(write);
        }
    }
}
