using System.Runtime.InteropServices;
using Streams.Agent.Configuration;
using Streams.Agent.Modules.Observability;
using Streams.Agent.Modules.Observability.Batching;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;

namespace Streams.Agent.Tests.Batching;

public sealed class EventBatchesTests : IDisposable
{
    private readonly FakeSink _sink = new();
    private readonly Epoch _epoch = Epoch.NewRandom();
    private readonly List<bool> _pauses = [];
    private readonly DecodedBatch _decoded = new();
    private readonly EventBatches _batches;

    public EventBatchesTests() =>
        _batches = new EventBatches(new AgentConfiguration { BatchRows = 10, BatchBusyMilliseconds = 100, BatchQuietMilliseconds = 5000 }, _sink, _epoch, 4, _pauses.Add);

    [Fact]
    public void A_batch_is_sent_at_its_number_of_rows_and_balances()
    {
        for (ulong seq = 1; seq <= 25; seq++)
            AppendExit(0, seq);
        Assert.Equal(2, _sink.Sent.Count);
        Assert.Equal((0, 1UL, 10UL, 10u), Entry(0));
        Assert.Equal((0, 11UL, 20UL, 10u), Entry(1));
        _batches.SendAll();
        Assert.Equal((0, 21UL, 25UL, 5u), Entry(2));
    }

    [Fact]
    public void Lost_ranges_are_in_the_ledger_with_their_causes()
    {
        AppendExit(2, 1);
        _batches.AddLost(new LostRange(RecordClass.ProcessExit, 2, 2, 6, new LostCounters { RingFull = 3, Shed = 1 }, 1));
        AppendExit(2, 7);
        _batches.SendAll();
        Assert.Equal((2, 1UL, 7UL, 2u), Entry(0));
        var losses = _decoded.Ledger.Losses(_decoded.Ledger.Entries[0]).ToArray().ToDictionary(loss => loss.Cause, loss => loss.Count);
        Assert.Equal((3UL, 1UL, 1UL), (losses[LossCause.RingFull], losses[LossCause.Shed], losses[LossCause.Unknown]));
    }

    [Fact]
    public void A_batch_of_losses_alone_has_no_rows()
    {
        _batches.AddLost(new LostRange(RecordClass.NetworkClose, 1, 1, 4, new LostCounters { RingFull = 4 }, 0));
        _batches.SendAll();
        Assert.Equal((1, 1UL, 4UL, 0u), Entry(0));
        Assert.Equal(0, _decoded.Rows);
    }

    [Fact]
    public void A_record_too_short_for_its_class_is_counted_as_lost_by_the_reader()
    {
        var header = new RecordHeader { Class = RecordClass.ProcessExit, Cpu = 0, Seq = 1 };
        _batches.Append(in header, new byte[RecordHeader.ByteSize]);
        AppendExit(0, 2);
        _batches.SendAll();
        Assert.Equal((0, 1UL, 2UL, 1u), Entry(0));
        Assert.Equal(LossCause.Reader, _decoded.Ledger.Losses(_decoded.Ledger.Entries[0])[0].Cause);
    }

    [Fact]
    public void A_full_link_pauses_the_reader_and_loses_nothing()
    {
        _sink.HasRoom = false;
        var waits = 0;
        _sink.OnWait = () => _sink.HasRoom = ++waits == 3;
        for (ulong seq = 1; seq <= 11; seq++)
            AppendExit(0, seq);
        Assert.Equal([true, false], _pauses);
        Assert.Equal((0, 1UL, 10UL, 10u), Entry(0));
        Assert.Equal(3, waits);
        Assert.All(_batches.All, batch => Assert.Equal(0UL, batch.GivenUpBatches));
    }

    [Fact]
    public void Waiting_for_room_ends_when_the_agent_must()
    {
        _sink.HasRoom = false;
        _batches.GiveUpAt(Environment.TickCount64);
        AppendExit(0, 1);
        _batches.AddLost(new LostRange(RecordClass.ProcessExit, 0, 2, 6, new LostCounters { RingFull = 5 }, 0));
        _batches.SendAll();
        var exit = _batches.All.Single(batch => batch.GivenUpBatches > 0);
        Assert.Equal(("process_exit", 1UL, 1UL, 5UL, 0UL), (exit.Builder.Class.Name, exit.GivenUpBatches, exit.GivenUpRows, exit.GivenUpLost, exit.Batches));
        Assert.Empty(_sink.Sent);
        Assert.Equal([true, false], _pauses);
    }

    [Theory]
    [InlineData(1, 0, 0, 500)]
    [InlineData(1, 4900, 10, 100)]
    [InlineData(1, 700, 500, 0)]
    [InlineData(64, 40, 0, 60)]
    [InlineData(1000, 100, 0, 0)]
    public void Few_rows_wait_for_silence_or_the_quiet_age_and_many_for_the_busy_age(int rows, long age, long silence, long expected) =>
        Assert.Equal(expected, new BatchLimits(1000, 100, 5000).DueIn(rows, age, silence));

    [Fact]
    public void Times_are_boot_time_plus_the_offset_in_the_header()
    {
        AppendExit(0, 1);
        _batches.SendAll();
        Entry(0);
        var time = MemoryMarshal.Read<long>(_decoded.Column(ClaimColumns.Time).Data);
        Assert.Equal(_decoded.Header.ClockOffset + 5, time);
        Assert.InRange(_decoded.Header.ClockOffset - BootClock.OffsetMicroseconds(), -1000, 1000);
        Assert.Equal(_epoch, _decoded.Header.SensorEpoch);
    }

    [Fact]
    public void Appending_allocates_nothing_once_warm()
    {
        var limits = new AgentConfiguration { BatchRows = 60_000 };
        using var batches = new EventBatches(limits, _sink, _epoch, 4, _pauses.Add);
        var record = Exit(0, 1);
        var header = record.Header;
        for (ulong seq = 1; seq <= 300; seq++)
            Append(batches, ref header, ref record, seq);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong seq = 301; seq <= 500; seq++)
            Append(batches, ref header, ref record, seq);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    public void Dispose()
    {
        _batches.Dispose();
        _decoded.Dispose();
        _sink.Dispose();
    }

    private static void Append(EventBatches batches, ref RecordHeader header, ref ProcessExitRecord record, ulong seq)
    {
        header.Seq = seq;
        batches.Append(in header, MemoryMarshal.AsBytes(new ReadOnlySpan<ProcessExitRecord>(in record)));
    }

    private void AppendExit(ushort cpu, ulong seq)
    {
        var record = Exit(cpu, seq);
        _batches.Append(in record.Header, MemoryMarshal.AsBytes(new ReadOnlySpan<ProcessExitRecord>(in record)));
    }

    private static ProcessExitRecord Exit(ushort cpu, ulong seq) => new()
    {
        Header = new RecordHeader { Class = RecordClass.ProcessExit, Cpu = cpu, Seq = seq, TimeNs = 5000 },
        Pid = 7,
    };

    private (int Cpu, ulong First, ulong Last, uint Rows) Entry(int batch)
    {
        Assert.True(BatchDecoder.TryDecode(_sink.Sent[batch], _decoded, out var error), error.ToString());
        var entry = Assert.Single(_decoded.Ledger.Entries.ToArray());
        return (entry.Cpu, entry.First, entry.Last, entry.Rows);
    }
}
