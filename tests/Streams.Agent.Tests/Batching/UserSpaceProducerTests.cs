using Streams.Agent.Modules.Comm;
using Streams.Schema;

namespace Streams.Agent.Tests.Batching;

public sealed class UserSpaceProducerTests
{
    [Fact]
    public void Numbers_have_no_hole_also_when_the_link_was_full()
    {
        using var sink = new FakeSink();
        using var producer = new UserSpaceProducer(MetricClasses.Host, sink, Epoch.NewRandom(), TimeProvider.System);
        Row(producer);
        Row(producer);
        sink.HasRoom = false;
        Assert.False(producer.TryFlush());
        Assert.False(producer.TryBeginRow(0));
        sink.HasRoom = true;
        Row(producer);
        Assert.True(producer.TryFlush());
        using var decoded = new DecodedBatch();
        ulong next = 1;
        foreach (var batch in sink.Sent)
        {
            Assert.True(BatchDecoder.TryDecode(batch, decoded, out _));
            var entry = Assert.Single(decoded.Ledger.Entries.ToArray());
            Assert.Equal((UserSpaceProducer.Cpu, next), (entry.Cpu, entry.First));
            next = entry.Last + 1;
        }

        Assert.Equal((4UL, 3UL, 2), (next, producer.Sent, sink.Sent.Count));
    }

    private static void Row(UserSpaceProducer producer)
    {
        Assert.True(producer.TryBeginRow(0));
        producer.EndRow();
    }
}
