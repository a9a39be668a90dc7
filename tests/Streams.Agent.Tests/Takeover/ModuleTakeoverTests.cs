using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Agent.Tests.Observability;
using Streams.Schema;
using Xunit.Abstractions;

namespace Streams.Agent.Tests.Takeover;

public sealed class ModuleTakeoverTests(ITestOutputHelper output)
{
    [Fact]
    public void An_instance_of_another_layout_is_counted_under_its_epoch_and_a_new_one_begins()
    {
        if (!IsSupported())
            return;
        using var sensor = new RunningSensor("layout", TimeProvider.System);
        var epoch = Epoch.Read(sensor.LeaveBehind(30).Epoch.Span);
        using (var map = BpfMap.OpenPinned(Path.Combine(sensor.Pins, "instance")))
        {
            var view = new ArrayMap<InstanceIdentity>(map);
            view[0] = view[0] with { Layout = 99 };
        }

        sensor.Start();
        RunningSensor.RunTrue(10);
        sensor.Module.Stop(TimeSpan.FromSeconds(5));
        output.WriteLine(sensor.Said);
        Assert.Contains($"the sensor instance {epoch} has layout 99", sensor.Said, StringComparison.Ordinal);
        Assert.Contains($"removed the sensor instance {epoch}", sensor.Said, StringComparison.Ordinal);
        foreach (var name in new[] { "process_exec", "process_exit" })
        {
            var old = sensor.Ledger(name, epoch);
            Assert.Equal((0ul, "stop"), (old.Rows, old.Reason));
            Assert.True(old.Stamped >= 30);
            Assert.Equal(old.Stamped, old.Lost[LossCause.AgentRestart]);
        }

        Assert.False(Directory.Exists(sensor.Pins));
    }

    [Fact]
    public void An_instance_of_another_installation_is_removed_and_not_accounted_for_here()
    {
        if (!IsSupported())
            return;
        using var sensor = new RunningSensor("owner", TimeProvider.System);
        var epoch = Epoch.Read(sensor.LeaveBehind(10, owner: 7).Epoch.Span);
        sensor.Start();
        RunningSensor.RunTrue(10);
        sensor.Module.Stop(TimeSpan.FromSeconds(5));
        output.WriteLine(sensor.Said);
        Assert.Contains($"removed the sensor instance {epoch}", sensor.Said, StringComparison.Ordinal);
        Assert.Equal((0ul, 0ul), (sensor.Ledger("process_exec", epoch).Stamped, sensor.Ledger("process_exec", epoch).Rows));
        var exec = sensor.Ledger("process_exec");
        Assert.Equal((exec.Stamped, true), (exec.Rows, exec.Rows >= 10));
    }

    [Fact]
    public void A_stop_without_room_leaves_the_instance_and_the_next_start_accounts_for_it()
    {
        if (!IsSupported())
            return;
        using var sensor = new RunningSensor("room", TimeProvider.System);
        sensor.Start();
        sensor.Sink.HasRoom = false;
        RunningSensor.RunTrue(30);
        sensor.Module.Stop(TimeSpan.FromSeconds(1));
        Assert.True(Directory.Exists(sensor.Pins), "the instance was removed before its last barrier was out");
        sensor.Sink.HasRoom = true;
        sensor.Start();
        RunningSensor.RunTrue(10);
        sensor.Module.Stop(TimeSpan.FromSeconds(5));
        output.WriteLine(sensor.Said);
        Assert.Contains("took over the sensor instance", sensor.Said, StringComparison.Ordinal);
        var exec = sensor.Ledger("process_exec");
        Assert.Equal("stop", exec.Reason);
        Assert.True(exec.Rows >= 10);
        Assert.True(exec.Lost[LossCause.AgentRestart] >= 30);
        Assert.Equal(exec.Stamped, exec.Rows + exec.Lost[LossCause.AgentRestart]);
        Assert.False(Directory.Exists(sensor.Pins));
    }

    [Fact]
    public void What_is_in_the_spool_beyond_the_position_is_not_lost_again()
    {
        if (!IsSupported())
            return;
        using var sensor = new RunningSensor("spool", TimeProvider.System);
        var left = sensor.LeaveBehind(30);
        var epoch = Epoch.Read(left.Epoch.Span);
        // As if the killed agent had handed over two numbers of each CPU, one of them lost, and had not got to note it.
        sensor.Sink.Spooled.Add((Epoch.NewRandom(), RecordClass.ProcessExec, new LedgerEntry(0, 1, 1000, 1000), []));
        for (ushort cpu = 0; cpu < left.Cpus; cpu++)
            sensor.Sink.Spooled.Add((epoch, RecordClass.ProcessExec, new LedgerEntry(cpu, 1, 2, 1), [new LossCount(LossCause.RingFull, 1)]));
        sensor.Sink.Spooled.Add((epoch, LedgerClasses.Barrier.Id, new LedgerEntry(65535, 1, 7, 7), []));
        sensor.Start();
        sensor.Module.Stop(TimeSpan.FromSeconds(5));
        output.WriteLine(sensor.Said);
        using var decoded = new DecodedBatch();
        var first = new Dictionary<(ushort, ushort), ulong>();
        foreach (var bytes in sensor.Sink.Sent)
        {
            Assert.True(BatchDecoder.TryDecode(bytes, decoded, out _));
            foreach (var entry in decoded.Ledger.Entries)
                first.TryAdd((decoded.Class.Id, entry.Cpu), entry.First);
        }

        Assert.All(first.Where(item => item.Key.Item1 == RecordClass.ProcessExec), item => Assert.Equal(3ul, item.Value));
        Assert.All(first.Where(item => item.Key.Item1 == RecordClass.ProcessExit), item => Assert.Equal(1ul, item.Value));
        Assert.Equal(8ul, first[(LedgerClasses.Barrier.Id, 65535)]);
        Assert.DoesNotContain("unknown", sensor.Said, StringComparison.Ordinal);
    }

    private bool IsSupported()
    {
        if (!RunningSensor.IsSupported)
            output.WriteLine("skipped: this kernel or user may not attach tp_btf/sched_process_exec");
        return RunningSensor.IsSupported;
    }
}
