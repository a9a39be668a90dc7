using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class PositionTableTests(BpfFsFixture bpffs) : KernelTest
{
    private const ushort Class = RecordClass.NetworkClose;

    [Fact]
    public void A_position_moves_on_and_never_back()
    {
        using var table = PositionTable.Create();
        Assert.Equal(0ul, table.Read(Class, 1).Seq);
        table.Advance(Class, 1, 10, new LostCounters { RingFull = 3 });
        table.Advance(Class, 1, 15, new LostCounters { RingFull = 1, Shed = 2 });
        table.Advance(Class, 1, 15, new LostCounters { Shed = 100 });
        table.Advance(Class, 1, 12, new LostCounters { Shed = 100 });
        var position = table.Read(Class, 1);
        Assert.Equal((15ul, 4ul, 2ul, 6ul), (position.Seq, position.Lost.RingFull, position.Lost.Shed, position.Lost.Total));
        Assert.Equal(0ul, table.Read(Class, 0).Seq);
        Assert.Equal(0ul, table.Read(Class, PositionTable.UserSpaceCpu).Seq);
        table.Advance(Class, PositionTable.UserSpaceCpu, 7, default);
        Assert.Equal((0ul, 7ul), (table.Read(Class + 1, 0).Seq, table.Read(Class, PositionTable.UserSpaceCpu).Seq));
    }

    [Fact]
    public void A_writer_that_dies_between_two_stores_leaves_the_position_before()
    {
        var path = Path.Combine(bpffs.Path, "positions");
        using var table = PositionTable.Create();
        table.Pin(path);
        table.Advance(Class, 1, 10, new LostCounters { RingFull = 3 });
        table.Advance(Class, 1, 15, new LostCounters { RingFull = 1 });
        using var map = BpfMap.OpenPinned(path);
        using var memory = new MappedArray<PositionPair>(map);
        ref var pair = ref memory[(Class * (BpfMap.PossibleCpus + 1)) + 1];
        ref var spare = ref pair.A;
        if (pair.A.Seq == 15)
        {
            spare = ref pair.B;
        }
        Assert.Equal(10ul, spare.Seq);
        // The stores of Advance one by one; after the last one it counts.
        spare.Seq = 0;
        Check(15, 4);
        spare.Lost.RingFull = 9;
        Check(15, 4);
        spare.Seq = 20;
        Check(20, 9);

        void Check(ulong seq, ulong ringFull)
        {
            using var other = PositionTable.Open(path);
            Assert.Equal((seq, ringFull), (other.Read(Class, 1).Seq, other.Read(Class, 1).Lost.RingFull));
        }
    }

    [Fact]
    public void A_table_of_another_shape_is_refused()
    {
        var path = Path.Combine(bpffs.Path, "short");
        using (var map = BpfMap.Create(BpfMapType.Array, "positions", 4, 128, 3, MappedArray<PositionPair>.Mappable))
        {
            map.Pin(path);
        }
        Assert.Contains("3 entries", Assert.Throws<ArgumentException>(() => PositionTable.Open(path)).Message);
    }
}
