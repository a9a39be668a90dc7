using Streams.Schema;

namespace Streams.AgentLink.Retention;

/// <summary>
/// The uncommitted batches of one lane as one byte stream over pool blocks: appended at the end, freed from the front, read anywhere.
/// Positions are offsets in
/// the lane's whole stream, so block k always covers [k·4096, (k+1)·4096). What links without a spool keep, and what the disk
/// refuses. Not thread-safe.
/// </summary>
internal sealed class LaneLog(BlockPool pool) : ILaneLog
{
    private readonly RingQueue<int> _blocks = new();
    private readonly RingQueue<long> _ends = new();
    private long _head;
    private long _tail;
    private long _firstBlock;

    /// <summary>n of the first retained batch, i.e. how many were released.</summary>
    public uint First { get; private set; }

    /// <summary>n of the next batch.</summary>
    public uint Next => First + (uint)_ends.Count;

    /// <summary>Bytes of the retained batches.</summary>
    public long Bytes => _tail - _head;

    public bool OnDisk => false;

    /// <summary>Blocks that <paramref name="length"/> more bytes would take.</summary>
    internal int BlocksFor(int length) => (int)((_tail + length + BlockPool.BlockSize - 1) / BlockPool.BlockSize - _firstBlock) - _blocks.Count;

    /// <summary>Appends a whole batch; false, with nothing changed, when the pool has too few blocks.</summary>
    internal bool TryAppend(ReadOnlySpan<byte> batch)
    {
        var needed = BlocksFor(batch.Length);
        if (needed > pool.FreeBlocks)
        {
            return false;
        }

        for (var i = 0; i < needed; i++)
        {
            _ = pool.TryRent(out var block);
            _blocks.Enqueue(block);
        }

        Copy(batch, _tail);
        _tail += batch.Length;
        _ends.Enqueue(_tail);
        return true;
    }

    /// <summary>Length of batch <paramref name="n"/>, which must be retained.</summary>
    public int LengthOf(uint n) => (int)(_ends[(int)(n - First)] - StartOf(n));

    /// <summary>Bytes of the batches from <paramref name="n"/> on.</summary>
    public long BytesFrom(uint n) => n >= Next ? 0 : _tail - StartOf(Math.Max(n, First));

    /// <summary>Copies whole consecutive batches from <paramref name="n"/> on into <paramref name="destination"/>, as many as
    /// fit.</summary>
    /// <returns>Bytes copied; <paramref name="count"/> batches.</returns>
    public int CopyFrom(uint n, Span<byte> destination, out int count)
    {
        var start = StartOf(n);
        var length = 0;
        count = 0;
        for (var at = n; at != Next; at++)
        {
            var end = (int)Math.Min(_ends[(int)(at - First)] - start, int.MaxValue);
            if (end > destination.Length)
            {
                break;
            }

            length = end;
            count++;
        }

        Read(start, destination[..length]);
        return length;
    }

    /// <summary>Copies the first bytes of batch <paramref name="n"/>, which must be retained and at least as long.</summary>
    internal void CopyStart(uint n, Span<byte> destination) => Read(StartOf(n), destination);

    /// <summary>Frees the batches below <paramref name="committed"/>; gives how many those were.</summary>
    internal int Release(uint committed)
    {
        var released = 0;
        while (First < committed && _ends.Count > 0)
        {
            _head = _ends.Dequeue();
            First++;
            released++;
        }

        if (_ends.Count == 0)
        {
            // Nothing is retained: the half-used last block goes back too, and the stream goes on at the next block boundary.
            _tail = (_tail + BlockPool.BlockSize - 1) / BlockPool.BlockSize * BlockPool.BlockSize;
            _head = _tail;
        }

        var keepFrom = BlockIndex(_head);
        while (_blocks.Count > 0 && _firstBlock < keepFrom)
        {
            pool.Return(_blocks.Dequeue());
            _firstBlock++;
        }

        return released;
    }

    public ushort ClassOf(uint n)
    {
        Span<byte> start = stackalloc byte[BatchHeader.Size];
        CopyStart(n, start);
        return BatchHeader.TryRead(start, out var header, out _) ? header.ClassId : (ushort)0;
    }

    bool ILaneLog.TryAppend(Span<byte> record) => TryAppend(record[Spool.RecordHeader.Size..]);

    void ILaneLog.Commit(uint committed) => Release(committed);

    /// <summary>Gives every block back without regard to what is committed; for the end of the process.</summary>
    public void Dispose()
    {
        while (_blocks.Count > 0)
        {
            pool.Return(_blocks.Dequeue());
        }
    }

    private long StartOf(uint n) => n == First ? _head : _ends[(int)(n - First) - 1];

    private static long BlockIndex(long position) => position / BlockPool.BlockSize;

    private Span<byte> BlockAt(long position, out int room)
    {
        var offset = (int)(position % BlockPool.BlockSize);
        room = BlockPool.BlockSize - offset;
        return pool[_blocks[(int)(BlockIndex(position) - _firstBlock)]][offset..];
    }

    private void Read(long position, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            var part = BlockAt(position, out var room);
            var take = Math.Min(room, destination.Length);
            part[..take].CopyTo(destination);
            destination = destination[take..];
            position += take;
        }
    }

    private void Copy(ReadOnlySpan<byte> source, long position)
    {
        while (!source.IsEmpty)
        {
            var part = BlockAt(position, out var room);
            var take = Math.Min(room, source.Length);
            source[..take].CopyTo(part);
            source = source[take..];
            position += take;
        }
    }
}
