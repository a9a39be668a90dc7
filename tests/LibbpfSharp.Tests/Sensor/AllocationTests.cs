using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class AllocationTests() : SensorTest(ringBytes: 65536)
{
    [Fact]
    public void Reading_allocates_nothing_once_warm_also_with_holes()
    {
        var counting = default(CountingSink);
        var snapshot = new StampSnapshot();
        long allocated = 0;
        // The first rounds fill the window's buffers. The last ones overflow the ring as well.
        for (var round = 0; round < 6; round++)
        {
            Run("/bin/sh", "-c", "i=0; while [ $i -lt 300 ]; do /bin/true $i; i=$((i+1)); done");
            var before = GC.GetAllocatedBytesForCurrentThread();
            Reader.Drain(ref counting);
            Instance.Read(snapshot);
            Reader.Settle(ref counting, snapshot);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.True(counting.Records > 300);
        Assert.True(counting.Lost > 0);
        Assert.Equal(0, allocated);
    }

    private struct CountingSink : IRecordSink
    {
        public ulong Records;
        public ulong Lost;

        public void OnRecord(in RecordHeader header, ReadOnlySpan<byte> record) => Records++;

        public void OnLost(in LostRange lost) => Lost += lost.Count;
    }
}
