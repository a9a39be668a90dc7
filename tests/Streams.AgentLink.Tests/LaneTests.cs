using Streams.AgentLink.Lanes;
using Streams.AgentLink.Retention;
using Streams.AgentLink.Spool;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests;

public sealed class LaneTests
{
    private const int Retention = 1 << 20;

    /// <summary>Random appends, copies and releases against a list of arrays.</summary>
    [Fact]
    public void ALogIsAListOfBatches()
    {
        using var pool = new BlockPool(Retention);
        var log = new LaneLog(pool);
        var model = new List<byte[]>();
        var first = 0u;
        var random = new Random(11);
        for (var step = 0; step < 20_000; step++)
        {
            switch (random.Next(4))
            {
                case 0 or 1:
                    var batch = new byte[random.Next(1, random.Next(2) == 0 ? 200 : 20_000)];
                    random.NextBytes(batch);
                    var needed = log.BlocksFor(batch.Length);
                    Assert.Equal(needed <= pool.FreeBlocks, log.TryAppend(batch));
                    if (needed <= pool.FreeBlocks + needed && log.Next == first + model.Count + 1)
                    {
                        model.Add(batch);
                    }

                    break;
                case 2 when model.Count > 0:
                    var release = random.Next(model.Count + 1);
                    Assert.Equal(release, log.Release(first + (uint)release));
                    model.RemoveRange(0, release);
                    first += (uint)release;
                    break;
                case 3 when model.Count > 0:
                    var from = random.Next(model.Count);
                    var room = new byte[random.Next(60_000)];
                    var length = log.CopyFrom(first + (uint)from, room, out var count);
                    Assert.Equal(model.Skip(from).Take(count).SelectMany(b => b), room.Take(length));
                    Assert.True(from + count == model.Count || length + model[from + count].Length > room.Length);
                    break;
            }

            Assert.Equal(first + model.Count, log.Next);
            Assert.Equal(model.Sum(b => (long)b.Length), log.Bytes);
        }

        log.Release(uint.MaxValue);
        Assert.Equal(pool.Blocks, pool.FreeBlocks);
    }

    [Fact]
    public void NumbersHaveNoGapAndLanesIncrease()
    {
        using var table = Table();
        Assert.Equal((0u, 0u), Append(table, PriorityClass.Event));
        Assert.Equal((0u, 1u), Append(table, PriorityClass.Event));
        Assert.Equal((1u, 0u), Append(table, PriorityClass.Metric));
        table.SealOpen();
        Assert.Equal((2u, 0u), Append(table, PriorityClass.Event));
        Assert.Equal((3u, 0u), Append(table, PriorityClass.Alert));

        // An unused name is not taken: the next batch gets it.
        Assert.True(table.TryName(PriorityClass.Event, 100, out _, out var unused));
        Assert.Equal((2u, 1u), (unused.Lane, unused.N));
        Assert.Equal((2u, 1u), Append(table, PriorityClass.Event));
    }

    [Fact]
    public void AnEmptyOpenLaneSurvivesADisconnect()
    {
        using var table = Table();
        Append(table, PriorityClass.Event);
        Send(table, PriorityClass.Event);
        Assert.True(table.Release([new LaneWatermark(table.EpochNumber, 0, 1)], out var freed));
        Assert.True(freed);
        table.SealOpen();
        Assert.Equal((0u, 1u), Append(table, PriorityClass.Event));
    }

    [Fact]
    public void EveryFourthFrameCarriesBacklog()
    {
        using var table = Table();
        for (var i = 0; i < 50; i++)
        {
            Append(table, PriorityClass.Event);
        }

        table.SealOpen();
        for (var i = 0; i < 50; i++)
        {
            Append(table, PriorityClass.Event);
        }

        table.Resume([]);
        var lanes = Enumerable.Range(0, 40).Select(_ => Send(table, PriorityClass.Event).Lane).ToArray();
        Assert.Equal(10, lanes.Count(lane => lane == 0));
        Assert.Equal(30, lanes.Count(lane => lane == 1));
    }

    [Fact]
    public void AtTheLimitOfLanesTheNewestOfTheClassIsReopened()
    {
        using var table = Table();
        for (var i = 0; i < Wire.Limits.MaxOpenLanes; i++)
        {
            Assert.Equal(((uint)i, 0u), Append(table, PriorityClass.Event));
            table.SealOpen();
        }

        Assert.Equal((Wire.Limits.MaxOpenLanes - 1u, 1u), Append(table, PriorityClass.Event));
        Assert.False(table.TryName(PriorityClass.Alert, 100, out _, out _));
        Assert.Equal(Wire.Limits.MaxOpenLanes, table.Count().Lanes);
    }

    [Fact]
    public void WatermarksOfOtherEpochsAndForgottenLanesFreeNothing()
    {
        using var table = Table();
        Append(table, PriorityClass.Event);
        Send(table, PriorityClass.Event);
        Assert.True(table.Release([new LaneWatermark(table.EpochNumber + 1, 0, 1), new LaneWatermark(table.EpochNumber, 77, 1)], out var freed));
        Assert.False(freed);
        Assert.Equal(1000, table.RetainedBytes);
    }

    [Fact]
    public void ManyBatchesWithAQuickServerStayInFewBlocks()
    {
        using var pool = new BlockPool(Retention);
        var log = new LaneLog(pool);
        var batch = new byte[1500];
        for (var n = 0u; n < 10_000; n++)
        {
            Assert.True(log.TryAppend(batch));
            log.Release(n);
            Assert.InRange(pool.Blocks - pool.FreeBlocks, 1, 2);
        }
    }

    private static LaneTable Table() => new(Epoch.NewRandom(), Retention);

    private static (uint Lane, uint N) Append(LaneTable table, PriorityClass priority)
    {
        Assert.True(table.TryName(priority, 1000, out var lane, out var name));
        var record = new byte[RecordHeader.Size + 1000];
        Assert.Equal(1000, new TestSealer(1000, priority).Seal(name, Catalogue.Version, record.AsSpan(RecordHeader.Size)));
        Assert.True(table.Append(lane!, record));
        return (name.Lane, name.N);
    }

    /// <summary>Takes one frame with room for a single batch.</summary>
    private static (uint Lane, uint N) Send(LaneTable table, PriorityClass priority)
    {
        var frame = new byte[2000];
        Assert.Equal(1024, table.Take(priority, 1500, frame));
        Assert.True(BatchHeader.TryRead(frame, out var header, out _));
        return (header.Name.Lane, header.Name.N);
    }
}
