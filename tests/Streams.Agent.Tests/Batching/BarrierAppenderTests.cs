using System.Runtime.InteropServices;
using Streams.Agent.Configuration;
using Streams.Agent.Modules.Observability.Batching;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;

namespace Streams.Agent.Tests.Batching;

/// <summary>Ledger entries end at the barrier's S, whatever the reader gives beyond it.</summary>
public sealed class BarrierAppenderTests : IDisposable
{
    private readonly FakeSink _sink = new();
    private readonly StampSnapshot _snapshot = new();
    private readonly DecodedBatch _decoded = new();
    private readonly EventBatches _batches;

    public BarrierAppenderTests() =>
        _batches = new EventBatches(new AgentConfiguration { BatchRows = 100 }, _sink, Epoch.NewRandom(), _snapshot.Cpus, _ => { });

    [Fact]
    public void Records_above_S_begin_an_entry_of_their_own()
    {
        Stamp(4);
        for (ulong seq = 1; seq <= 6; seq++)
            Append(seq);
        Assert.Equal([(1UL, 4UL, 4u, ""), (5UL, 6UL, 2u, "")], Entries());
    }

    [Fact]
    public void Nothing_stamped_and_nothing_up_to_S_in_the_batch_need_no_cut()
    {
        Append(1);
        Append(2);
        Assert.Equal([(1UL, 2UL, 2u, "")], Entries());
        Stamp(2);
        Append(3);
        Assert.Equal([(3UL, 3UL, 1u, "")], Entries());
    }

    [Fact]
    public void A_lost_range_across_S_is_divided_and_both_parts_balance()
    {
        Stamp(5);
        Append(1);
        new BarrierAppender(_batches, _snapshot).OnLost(
            new LostRange(RecordClass.ProcessExit, 0, 2, 9, new LostCounters { RingFull = 3, Shed = 3 }, 2));
        Append(10);
        Assert.Equal([(1UL, 5UL, 1u, "RingFull 1 Shed 3"), (6UL, 10UL, 1u, "Unknown 2 RingFull 2")], Entries());
    }

    [Theory]
    [InlineData(9, "1-9")]
    [InlineData(10, "1-9")]
    [InlineData(1, "1-1 2-9")]
    [InlineData(8, "1-8 9-9")]
    public void A_lost_range_is_divided_only_where_S_is_inside(ulong stamped, string expected)
    {
        Stamp(stamped);
        new BarrierAppender(_batches, _snapshot).OnLost(
            new LostRange(RecordClass.ProcessExit, 0, 1, 9, new LostCounters { RingFull = 9 }, 0));
        Assert.Equal(expected, string.Join(' ', Entries().Select(entry => $"{entry.First}-{entry.Last}")));
    }

    [Fact]
    public void A_lost_range_right_above_S_begins_an_entry()
    {
        Stamp(1);
        Append(1);
        new BarrierAppender(_batches, _snapshot).OnLost(
            new LostRange(RecordClass.ProcessExit, 0, 2, 3, new LostCounters { RingFull = 2 }, 0));
        Assert.Equal([(1UL, 1UL, 1u, ""), (2UL, 3UL, 0u, "RingFull 2")], Entries());
    }

    public void Dispose()
    {
        _batches.Dispose();
        _decoded.Dispose();
        _sink.Dispose();
    }

    private void Stamp(ulong seq) => _snapshot.OfClass(RecordClass.ProcessExit)[0].Seq = seq;

    private void Append(ulong seq)
    {
        var record = new ProcessExitRecord { Header = new RecordHeader { Class = RecordClass.ProcessExit, Seq = seq } };
        new BarrierAppender(_batches, _snapshot).OnRecord(
            in record.Header, MemoryMarshal.AsBytes(new ReadOnlySpan<ProcessExitRecord>(in record)));
    }

    private (ulong First, ulong Last, uint Rows, string Losses)[] Entries()
    {
        _batches.SendAll();
        Assert.True(BatchDecoder.TryDecode(_sink.Sent[^1], _decoded, out var error), error.ToString());
        return [.. _decoded.Ledger.Entries.ToArray().Select(entry => (entry.First, entry.Last, entry.Rows,
            string.Join(' ', _decoded.Ledger.Losses(entry).ToArray().Select(loss => $"{loss.Cause} {loss.Count}"))))];
    }
}
