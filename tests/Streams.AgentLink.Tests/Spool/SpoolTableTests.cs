using Streams.AgentLink.Lanes;
using Streams.AgentLink.Spool;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests.Spool;

public sealed class SpoolTableTests : IDisposable
{
    private readonly SpoolFolder _folder = new();

    [Fact]
    public void AFloodOfOneClassCostsAnotherNothing()
    {
        using var table = Open();
        Append(table, PriorityClass.Metric, 5000);
        for (var i = 0; i < 500; i++)
        {
            Append(table, PriorityClass.Event, 5000);
        }

        Assert.True(table.SpoolCounters!.RowsEvicted > 0);
        Assert.InRange(table.SpoolBytes, 300_000, 1 << 20);
        table.Resume([]);
        var plaintext = new byte[Wire.Limits.MaxFrameBytes];
        var length = table.Take(PriorityClass.Metric, Wire.Limits.MaxFrameBytes, plaintext);
        Assert.Equal(20UL, SpoolBatch.Sum(SpoolBatch.Split(plaintext[..length])[0].Bytes).Rows);
    }

    [Fact]
    public void AtTheLimitOfLanesALaneIsReopenedAndAClassWithoutOneGetsOne()
    {
        using var table = Open();
        for (var i = 0; i < 512; i++)
        {
            Assert.Equal(((uint)i, 0u), Append(table, PriorityClass.Event, 20));
            table.SealOpen();
        }

        Assert.Equal((511u, 1u), Append(table, PriorityClass.Event, 20));
        Assert.Equal((512u, 0u), Append(table, PriorityClass.Metric, 20));
    }

    [Fact]
    public void BacklogDoesNotBeginMoreLanesThanTheSessionMayHave()
    {
        using var table = Open();
        for (var i = 0; i < 80; i++)
        {
            Append(table, PriorityClass.Event, 2000);
            table.SealOpen();
        }

        table.Resume([], maxInFlight: 64);
        var lanes = SendAll(table);
        Assert.Equal(Enumerable.Range(0, 58).Select(l => (uint)l), lanes);

        // Live data still finds a place, and a commit makes room for the next.
        Append(table, PriorityClass.Event, 2000);
        Assert.Equal([80u], SendAll(table));
        Assert.True(table.Release([new LaneWatermark(table.EpochNumber, 0, 1), new LaneWatermark(table.EpochNumber, 1, 1)], out _));
        Assert.Equal([58u], SendAll(table));

        // A session with one lane at a time has one at a time.
        table.Resume([], maxInFlight: 1);
        Assert.Equal([80u], SendAll(table));
        Assert.True(table.Release([new LaneWatermark(table.EpochNumber, 80, 1)], out _));
        Assert.Equal([2u], SendAll(table));
    }

    [Fact]
    public void SealedLanesThatWaitKeepNoDescriptor()
    {
        using var table = Open();
        var before = Descriptors();
        for (var i = 0; i < 200; i++)
        {
            Append(table, PriorityClass.Event, 100);
            table.SealOpen();
        }

        table.Sync();
        Assert.Equal(before, Descriptors());

        int Descriptors() => Directory.GetFiles("/proc/self/fd").Count(IsInFolder);
    }

    private bool IsInFolder(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, false)?.FullName.StartsWith(_folder.Path, StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            // Another test's, closed between the listing and the look.
            return false;
        }
    }

    private LaneTable Open() => new(Epoch.NewRandom(), 512 * 1024, SpoolStore.Open(_folder.Path, 1 << 20, TimeProvider.System));

    private static (uint Lane, uint N) Append(LaneTable table, PriorityClass priority, int body)
    {
        Assert.True(table.TryName(priority, body + 300, out var lane, out var name));
        Assert.True(table.Append(lane!, SpoolBatch.Record(name, priority, 1, 10, body)));
        return (name.Lane, name.N);
    }

    private static List<uint> SendAll(LaneTable table)
    {
        var lanes = new List<uint>();
        var backlogs = new LaneTable.Backlog[LaneTable.Classes];
        var plaintext = new byte[Wire.Limits.MaxFrameBytes];
        for (table.Peek(backlogs); backlogs[(int)PriorityClass.Event].NextFrameBytes > 0; table.Peek(backlogs))
        {
            var length = table.Take(PriorityClass.Event, Wire.Limits.MaxFrameBytes, plaintext);
            lanes.Add(SpoolBatch.Split(plaintext[..length])[0].Name.Lane);
        }

        return lanes;
    }

    public void Dispose() => _folder.Dispose();
}
