using Streams.Schema;

namespace Streams.Queue.Producing;

/// <summary>
/// Rows that wait, by class: a builder each, bounded by rows and bytes. A row that finds its builder full takes its number all the same
/// and is counted as lost in the next batch's ledger. Thread-safe.
/// </summary>
internal sealed class RowBatches(TimeProvider time) : IDisposable
{
    /// <summary>Bytes of a message: what a frame of an agent has at most.</summary>
    public const int MaxMessage = 256 * 1024;

    private const ushort Cpu = ClaimColumns.UserSpaceCpu;
    private const int MaxRows = 4096;

    private readonly Lock _gate = new();
    private readonly List<ClassRows> _classes = [];
    private readonly byte[] _message = new byte[MaxMessage];
    private int _begin;

    /// <summary>The sensor instance that the rows' sequences belong to: this process.</summary>
    public Epoch SensorEpoch { get; } = Epoch.NewRandom();

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _classes.TrueForAll(rows => rows.IsEmpty);
        }
    }

    /// <summary>False: there was no room, and the row is counted as lost.</summary>
    public bool TryAppend<T>(EventClass eventClass, in T row, Action<BatchBuilder, T> fill)
    {
        // As other user-space producers: whole milliseconds are what the clock gives.
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        lock (_gate)
        {
            var rows = Of(eventClass);
            var seq = rows.Next++;
            if (rows.Lost != 0 || !rows.Builder.TryBeginRow(RowText.MaxBytes * RowText.MaxTexts))
            {
                // Once one was lost all are, until the batch is sealed: its ledger is one range.
                rows.Lost++;
                return false;
            }

            try
            {
                rows.Builder.SetClaim(now, seq, Cpu, 0, 0);
                fill(rows.Builder, row);
            }
            finally
            {
                rows.Builder.EndRow();
            }

            return true;
        }
    }

    /// <summary>Seals what waits, as much as a message holds, into batches from number <paramref name="first"/>; null when nothing waits. Its
    /// bytes stay until the next is sealed.</summary>
    public RowMessage? Seal(Epoch epoch, uint first)
    {
        lock (_gate)
        {
            var (length, count, total) = (0, 0u, 0L);
            for (var i = 0; i < _classes.Count; i++)
            {
                var rows = _classes[(_begin + i) % _classes.Count];
                if (rows.IsEmpty)
                    continue;
                if (count != 0 && length + rows.Builder.MaxSealedBytes + LedgerEntry.Size + LedgerEntry.CauseSize > _message.Length)
                {
                    // It goes first the next time.
                    _begin = (_begin + i) % _classes.Count;
                    break;
                }

                total += rows.Builder.RowCount;
                length += rows.Seal(new BatchName(epoch, 0, first + count++), SensorEpoch, _message.AsSpan(length));
            }

            return count == 0 ? null : new RowMessage(_message.AsMemory(0, length), first, count, total);
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _classes.ForEach(rows => rows.Builder.Dispose());
    }

    private ClassRows Of(EventClass eventClass)
    {
        foreach (var rows in _classes)
        {
            if (rows.Builder.Class == eventClass)
                return rows;
        }

        var added = new ClassRows(eventClass);
        _classes.Add(added);
        return added;
    }

    private sealed class ClassRows(EventClass eventClass)
    {
        private ulong _first = 1;

        public BatchBuilder Builder { get; } = new(eventClass, new BuilderOptions { MaxRows = MaxRows });

        public ulong Next { get; set; } = 1;

        public ulong Lost { get; set; }

        public bool IsEmpty => Next == _first;

        public int Seal(BatchName name, Epoch sensorEpoch, Span<byte> destination)
        {
            Builder.TryAddLedger(
                Cpu, _first, Next - 1, (uint)Builder.RowCount, Lost == 0 ? [] : [new LossCount(LossCause.ServerLost, Lost)]);
            var length = Builder.Seal(name, new BatchStamp(sensorEpoch), BatchCompression.Lz4, destination);
            Builder.Reset();
            (_first, Lost) = (Next, 0);
            return length;
        }
    }
}
