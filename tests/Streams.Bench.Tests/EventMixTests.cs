using Streams.Bench.Load;
using Streams.Bench.Running;
using Streams.Schema;

namespace Streams.Bench.Tests;

public sealed class EventMixTests
{
    [Fact]
    public void The_same_seed_gives_the_same_rows()
    {
        var (first, second, other) = (Bodies(1), Bodies(1), Bodies(2));
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public void Scheduled_rows_are_spread_over_their_time()
    {
        using var mix = new EventMix(new MixOptions { BatchRows = 11 });
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(mix.Next(0, Epoch.NewRandom(), 1_000_000, 2_000_000).AsSpan(), batch, out _));
        var times = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(batch.Column(ClaimColumns.Time).Data).ToArray();
        Assert.Equal(Enumerable.Range(0, 11).Select(row => 1_000_000L + (row * 100_000L)), times);
    }

    [Fact]
    public void More_classes_take_turns_and_each_has_its_columns()
    {
        using var mix = new EventMix(new MixOptions { BatchRows = 7, Classes = 5 });
        using var batch = new DecodedBatch();
        Assert.Equal(EventMix.Classes.Select(static eventClass => eventClass.Name), mix.Batches(5).Select(bytes =>
        {
            Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(), batch, out _));
            Assert.Equal((7, 0), (batch.Rows, batch.MissingColumns));
            return batch.Class.Name;
        }));
    }

    [Fact]
    public void A_batch_that_cannot_be_is_refused_by_its_keys()
    {
        using var mix = new EventMix(new MixOptions { BatchRows = 60_000, ArgumentBytes = 4000 });
        var failure = Assert.Throws<BenchFailure>(() => mix.Batches(1));
        Assert.StartsWith("load.batch_rows 60000 with load.string_bytes 4000", failure.Message);
    }

    private static List<byte[]> Bodies(int seed)
    {
        using var mix = new EventMix(seed, rowsPerBatch: 50);
        // The time of making and the sensor epoch are not of the seed; compressed bytes would hide where two differ.
        return [.. mix.Batches(4).Select(bytes =>
        {
            using var batch = new DecodedBatch();
            Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(), batch, out _));
            return batch.Column(ClaimColumns.Count).Data.ToArray();
        })];
    }
}
