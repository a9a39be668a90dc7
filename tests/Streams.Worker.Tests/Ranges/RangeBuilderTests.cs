using Streams.Schema;
using Streams.Worker.Admission;
using Streams.Worker.Decode;
using Streams.Worker.Ranges;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Ranges;

public sealed class RangeBuilderTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly BatchPool _pool = new();
    private readonly LingerClock _linger;
    private readonly RangeBuilder _builder;

    public RangeBuilderTests()
    {
        _linger = new LingerClock(_clock, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
        _builder = new RangeBuilder(3, new RangeLimits(100, 64 * 1024), _linger);
    }

    public void Dispose()
    {
        _builder.Dispose();
        Assert.Equal(0, _pool.Outstanding);
    }

    [Fact]
    public void Rows_close_it()
    {
        Add(1, rows: 60);
        Assert.False(_builder.IsFull);
        Add(2, rows: 40);
        Assert.True(_builder.IsFull);
        Assert.Equal(CloseReason.Rows, _builder.FullReason);
    }

    [Fact]
    public void Bytes_close_it()
    {
        using var builder = new RangeBuilder(0, new RangeLimits(1_000_000, 8000), _linger);
        builder.Add(Item(0, 1, rows: 20));
        Assert.False(builder.IsFull);
        builder.Add(Item(1, 2, rows: 20));
        Assert.True(builder.IsFull);
        Assert.Equal(CloseReason.Bytes, builder.FullReason);
    }

    [Fact]
    public void A_batch_counts_with_its_columns_as_they_are_and_not_as_they_came()
    {
        using var batch = Batches.Staged(_pool, 1, rows: 2000);
        var name = new BatchName(Batches.EpochOf(7), 1, 1);
        Assert.True(BatchHeader.TryRead(Batches.Seal(name, 2000, 2001, compression: BatchCompression.None), out var plain, out _));

        Assert.InRange(batch.Decoded.Header.DecodedLength, 1, plain.DecodedLength * 9 / 10);
        Assert.InRange(batch.Bytes, plain.DecodedLength, plain.DecodedLength * 2);
    }

    [Fact]
    public void Batches_that_carry_a_ledger_only_close_it_by_bytes()
    {
        using var builder = new RangeBuilder(0, new RangeLimits(1_000_000, 64 * 1024), _linger);
        var count = 0;
        while (!builder.IsFull && count < 100)
        {
            builder.Add(LedgerOnly((uint)count++));
        }

        Assert.InRange(count, 20, 32);
        Assert.Equal(CloseReason.Bytes, builder.FullReason);
        using var range = builder.Close(builder.FullReason);
        Assert.Equal(0, range.Rows);
        Assert.Equal(range.Batches.Sum(batch => batch.Bytes), range.Bytes);
    }

    [Fact]
    public void The_number_of_batches_closes_it()
    {
        using var builder = new RangeBuilder(0, new RangeLimits(1_000_000, long.MaxValue), _linger);
        for (uint n = 0; n < RangeBuilder.MaxBatches; n++)
        {
            Assert.False(builder.IsFull);
            builder.Add(LedgerOnly(n));
        }

        Assert.True(builder.IsFull);
        Assert.Equal(CloseReason.Batches, builder.FullReason);
    }

    [Fact]
    public void Linger_closes_it_at_the_common_tick()
    {
        _clock.Advance(TimeSpan.FromMilliseconds(350));
        Add(1);
        Assert.False(_builder.IsDue);
        _clock.Advance(TimeSpan.FromMilliseconds(49));
        Assert.False(_builder.IsDue);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(_builder.IsDue);
    }

    [Fact]
    public void An_alert_closes_it_soon_with_what_is_there()
    {
        _clock.Advance(TimeSpan.FromMilliseconds(210));
        Add(1);
        _builder.Add(new IntakeItem(Alert(2), 2, true));
        Assert.False(_builder.IsDue);
        Assert.Equal(LingerClock.AlertLinger, _linger.Until(_builder.Deadline));
        _clock.Advance(LingerClock.AlertLinger);
        Assert.True(_builder.IsDue);
        Assert.Equal(CloseReason.Alert, _builder.DueReason);
        using (var range = _builder.Close(_builder.DueReason))
        {
            Assert.Equal(2, range.Batches.Count);
        }

        // The pause has not passed: the tick of everybody comes first.
        _builder.Add(new IntakeItem(Alert(3), 3, true));
        Assert.Equal(TimeSpan.FromMilliseconds(165), _linger.Until(_builder.Deadline));
        using var next = _builder.Close(CloseReason.Drain);
        Add(4);
        Assert.Equal(CloseReason.Linger, _builder.DueReason);
    }

    [Fact]
    public void Another_day_of_receipt_closes_it_first()
    {
        Add(1);
        Assert.False(ChangesDay(Batches.Noon));
        Assert.True(ChangesDay(Batches.Noon + 43_200_000_000));
        Assert.False(ChangesDay(Batches.Noon + 43_199_999_999));
        Assert.True(ChangesDay(Batches.Noon - 43_200_000_001));
        Assert.False(_builder.ChangesDay(new IntakeItem(null, 3, true)));
    }

    [Fact]
    public void It_may_be_trimmed_only_up_to_the_last_whole_message()
    {
        _builder.Add(Item(0, 7, ends: true));
        _builder.Add(Item(1, 8, ends: false));
        using (var first = _builder.Close(CloseReason.Rows))
        {
            Assert.Equal(7u, first.LastSequence);
            Assert.Equal(2, first.Batches.Count);
            Assert.Equal(20, first.Rows);
            Assert.Equal(3, first.Partition);
        }

        _builder.Add(Item(2, 8, ends: true));
        using var second = _builder.Close(CloseReason.Drain);
        Assert.Equal(8u, second.LastSequence);
    }

    [Fact]
    public void Dropped_messages_move_the_range_without_rows()
    {
        _builder.Add(new IntakeItem(null, 5, true));
        Assert.False(_builder.IsEmpty);
        using var range = _builder.Close(CloseReason.Linger);
        Assert.Empty(range.Batches);
        Assert.Equal(5u, range.LastSequence);
        Assert.True(_builder.IsEmpty);
    }

    private void Add(ulong sequence, int rows = 10) => _builder.Add(Item((uint)sequence, sequence, rows));

    private StagedBatch Alert(uint n)
    {
        using var builder = new BatchBuilder(ServerClasses.SystemAlert);
        Assert.True(builder.TryBeginRow());
        builder.EndRow();
        builder.TryAddLedger(ClaimColumns.UserSpaceCpu, n, n, 1);
        var name = new BatchName(Batches.EpochOf(7), 1, n);
        var bytes = new byte[builder.MaxSealedBytes];
        var length = builder.Seal(name, new BatchStamp(name.Epoch), BatchCompression.None, bytes);
        var staged = _pool.Rent();
        Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(0, length), staged.Decoded, out _));
        staged.Head = new MessageHead("_gateway-1", "host-1", name.Epoch, 1, n, 1, 0, Batches.Noon);
        return staged;
    }

    private bool ChangesDay(long receivedAt)
    {
        using var batch = Batches.Staged(_pool, 1, receivedAt: receivedAt);
        return _builder.ChangesDay(new IntakeItem(batch, 2, true));
    }

    private IntakeItem LedgerOnly(uint n) => new(Batches.Staged(_pool, n, rows: 0, lost: 1), n + 1, true);

    private IntakeItem Item(uint n, ulong sequence, int rows = 10, bool ends = true) =>
        new(Batches.Staged(_pool, n, rows), sequence, ends);
}
