namespace Streams.Schema.Tests;

public sealed class TombstoneTests
{
    private static readonly BatchName Name = new(AllTypes.TestEpoch(1), 4, 9);

    [Fact]
    public void Rows_become_losses_and_everything_else_stays()
    {
        using var builder = new BatchBuilder(ProcessClasses.Exec);
        for (var i = 0; i < 5; i++)
        {
            Assert.True(builder.TryBeginRow());
            builder.EndRow();
        }

        Assert.True(builder.TryAddLedger(0, 1, 4, 2, [new LossCount(LossCause.RingFull, 1), new LossCount(LossCause.SpoolEvicted, 1)]));
        Assert.True(builder.TryAddLedger(1, 7, 9, 3));
        Assert.True(builder.TryAddLedger(2, 1, 8, 0, [new LossCount(LossCause.Shed, 8)]));
        var bytes = new byte[Limits.MaxStoredBytes];
        var length = builder.Seal(Name, new BatchStamp(AllTypes.TestEpoch(2), 77), BatchCompression.Zstd, bytes);
        Assert.True(BatchHeader.TryRead(bytes, out var before, out _));

        // The rows are not looked at: header and ledger are enough.
        var tombstone = new byte[Limits.MaxStoredBytes];
        var written = Tombstone.Write(bytes.AsSpan(0, BatchHeader.Size + before.LedgerLength), LossCause.SpoolEvicted, tombstone);
        Assert.InRange(written, 1, length);
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(tombstone.AsMemory(0, written), batch, out var error), error.ToString());
        Assert.Equal(
            before with
            {
                Compression = BatchCompression.None,
                Rows = 0,
                Columns = 0,
                LedgerLength = written - BatchHeader.Size,
                DecodedLength = 0,
                StoredLength = 0,
            },
            batch.Header);
        Assert.Equal([(0, 1UL, 4UL, 0u), (1, 7UL, 9UL, 0u), (2, 1UL, 8UL, 0u)],
            batch.Ledger.Entries.ToArray().Select(e => ((int)e.Cpu, e.First, e.Last, e.Rows)));
        LossCount[][] expected =
        [
            [new(LossCause.RingFull, 1), new(LossCause.SpoolEvicted, 3)], [new(LossCause.SpoolEvicted, 3)], [new(LossCause.Shed, 8)],
        ];
        Assert.Equal(expected, batch.Ledger.Entries.ToArray().Select(e => batch.Ledger.Losses(e).ToArray()));

        // A tombstone of a tombstone is the same.
        var again = new byte[Limits.MaxStoredBytes];
        Assert.Equal(written, Tombstone.Write(tombstone.AsSpan(0, written), LossCause.ServerLost, again));
        Assert.Equal(tombstone[..written], again[..written]);
    }

    [Fact]
    public void Without_a_ledger_the_number_is_still_a_batch()
    {
        foreach (var priority in new[] { PriorityClass.Event, PriorityClass.Metric })
        {
            var bytes = new byte[Tombstone.BareSize];
            Assert.Equal(bytes.Length, Tombstone.WriteBare(Name, priority, bytes));
            using var batch = new DecodedBatch();
            Assert.True(BatchDecoder.TryDecode(bytes.AsMemory(), batch, out var error), error.ToString());
            Assert.Equal((Name, priority, 0, 0),
                (batch.Header.Name, batch.Header.Priority, batch.Header.Rows, batch.Ledger.Entries.Length));
        }
    }

    [Fact]
    public void What_cannot_be_read_has_none()
    {
        var bytes = AllTypes.Batch(40, BatchCompression.None);
        Assert.True(BatchHeader.TryRead(bytes, out var header, out _));
        var room = new byte[Limits.MaxStoredBytes];
        for (var length = 0; length < BatchHeader.Size + header.LedgerLength; length++)
        {
            Assert.Equal(0, Tombstone.Write(bytes.AsSpan(0, length), LossCause.SpoolCorrupt, room));
        }

        var written = Tombstone.Write(bytes, LossCause.SpoolCorrupt, room);
        for (var length = BatchHeader.Size; length < written; length++)
        {
            Assert.Equal(0, Tombstone.Write(bytes, LossCause.SpoolCorrupt, room.AsSpan(0, length)));
        }
    }
}
