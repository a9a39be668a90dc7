using System.Diagnostics;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

/// <summary>What the next agent makes of what it finds. Leaving an instance is, for the kernel, what a kill is.</summary>
public sealed class TakeoverTests(BpfFsFixture bpffs) : KernelTest
{
    private const ushort Exec = RecordClass.ProcessExec;

    [Fact]
    public void Programs_of_a_killed_agent_go_on_and_the_next_one_reads_what_they_stamped()
    {
        var first = Start("a");
        first.Attach();
        var epoch = first.Epoch.ToArray();
        first.Leave();
        RunTrue("while-nobody-reads", 5);
        using var second = Start("a");
        Assert.True(second.IsTakenOver);
        Assert.Equal(epoch, second.Epoch.ToArray());
        second.Attach();
        RunTrue("after", 5);
        using var reader = new SensorReader(second);
        var sink = new CollectingSink();
        Assert.True(reader.TakeOver(ref sink, second.HandOver!));
        Settle(second, reader, sink);
        Assert.Equal(5, Count(sink, "while-nobody-reads"));
        Assert.Equal(5, Count(sink, "after"));
        Assert.Equal((0ul, 0ul, 0ul), (reader.Restarted, reader.Reread, reader.Unknown));
        // Only the links of the second are left.
        Assert.Equal(["link-2-on_exec", "link-2-on_exit", "link-2-on_state"],
            Directory.GetFiles(second.PinPath, "link-*").Select(Path.GetFileName).Order());
    }

    [Fact]
    public void What_a_killed_agent_had_read_is_a_restart_and_what_it_had_handed_on_is_skipped()
    {
        var first = Start("b");
        first.Attach();
        using (var reader = new SensorReader(first))
        {
            // Read and kept in memory: gone with the agent.
            RunTrue("read", 20);
            Settle(first, reader, new CollectingSink());
        }
        RunTrue("waiting", 20);
        var snapshot = new StampSnapshot();
        first.Read(snapshot);
        // Ten numbers of each CPU are in the spool, and of those that wait in the ring the first: its place was not given back.
        ulong inMemory = 0, spooled = 0;
        for (ushort cpu = 0; cpu < first.Cpus; cpu++)
        {
            var waiting = FirstWaiting(first, cpu);
            var last = waiting is { } seq ? seq : snapshot[Exec, cpu].Seq / 2;
            inMemory += waiting is null ? snapshot[Exec, cpu].Seq - last : 0;
            spooled += waiting is null ? 0u : 1;
            first.Positions.Advance(Exec, cpu, last, default);
        }
        first.Leave();

        using var second = Start("b");
        second.Attach();
        using var next = new SensorReader(second);
        var sink = new SkippingSink();
        Assert.True(next.TakeOver(ref sink, second.HandOver!));
        Assert.Equal((spooled, 0ul, 0ul), (next.Reread, next.Unknown, next.Late));
        Assert.Equal(inMemory, sink.RestartOf(Exec));
        Assert.True(spooled > 0);
        // Nothing of the other classes was handed on: what was read of them is all lost.
        Assert.True(sink.RestartOf(RecordClass.ProcessExit) >= 20);
    }

    [Fact]
    public void What_the_kernel_counted_stays_its_cause_beside_a_restart()
    {
        var first = Start("c");
        first.SetShedLevel(60);
        first.Attach();
        RunTrue("shed", 10);
        first.SetShedLevel(0);
        using (var reader = new SensorReader(first))
        {
            RunTrue("read", 10);
            Settle(first, reader, new CollectingSink());
        }
        var snapshot = new StampSnapshot();
        first.Read(snapshot);
        first.Leave();
        using var second = Start("c");
        second.Attach();
        using var next = new SensorReader(second);
        var sink = new SkippingSink();
        Assert.True(next.TakeOver(ref sink, second.HandOver!));
        ulong shed = 0, stamped = 0;
        for (var cpu = 0; cpu < second.Cpus; cpu++)
        {
            shed += second.HandOver![Exec, cpu].Lost.Shed;
            stamped += snapshot[Exec, cpu].Seq;
        }
        Assert.True(shed >= 10);
        Assert.Equal(shed, sink.Lost.Where(lost => lost.Class == Exec).Aggregate(0ul, (sum, lost) => sum + lost.Causes.Shed));
        // Others may start programs between the snapshot and the hand-over; those are in the ring.
        Assert.InRange(sink.RestartOf(Exec), 10ul, stamped - shed);
    }

    [Fact]
    public async Task Events_of_a_hand_over_are_counted_once()
    {
        var first = Start("d");
        first.Attach();
        first.Leave();
        var second = Start("d");
        using var stop = new CancellationTokenSource();
        var load = Task.Run(() =>
        {
            var started = 0;
            while (!stop.IsCancellationRequested)
            {
                RunTrue("hand-over", 1);
                started++;
            }
            return started;
        });
        // Each take-over while programs start.
        for (var i = 0; i < 5; i++)
        {
            second.Attach();
            second.Leave();
            second = Start("d");
        }
        second.Attach();
        await stop.CancelAsync();
        var count = await load;
        using var reader = new SensorReader(second);
        var sink = new CollectingSink();
        Assert.True(reader.TakeOver(ref sink, second.HandOver!));
        var snapshot = Settle(second, reader, sink);
        var unseen = Enumerable.Range(0, second.Cpus).Aggregate(0ul, (sum, cpu) => sum + snapshot[Exec, cpu].Unseen);
        var rows = Count(sink, "hand-over");
        Assert.True(rows <= count, $"{rows} records of {count} programs");
        Assert.True((ulong)count <= (ulong)rows + unseen, $"{count} programs, {rows} records and {unseen} unseen");
        second.Dispose();
        Assert.False(Directory.Exists(second.PinPath));
    }

    [Fact]
    public void An_agent_that_died_while_it_took_over_leaves_events_counted_and_the_next_one_takes_over()
    {
        var first = Start("f");
        first.Attach();
        first.Leave();
        using (var map = LibbpfSharp.Handles.BpfMap.OpenPinned(Path.Combine(bpffs.Path, "streams", "f", "control")))
        using (var control = new LibbpfSharp.Maps.MappedArray<SensorControl>(map))
        {
            Assert.Equal(1u, control[0].Active);
            control[0].Active |= SensorControl.HandOver;
        }
        RunTrue("nobody-stamps", 10);
        using var second = Start("f");
        second.Attach();
        RunTrue("after", 1);
        using var reader = new SensorReader(second);
        var sink = new CollectingSink();
        Assert.True(reader.TakeOver(ref sink, second.HandOver!));
        var snapshot = Settle(second, reader, sink);
        Assert.Equal((0, 1), (Count(sink, "nobody-stamps"), Count(sink, "after")));
        Assert.True(Enumerable.Range(0, second.Cpus).Aggregate(0ul, (sum, cpu) => sum + snapshot[Exec, cpu].Unseen) >= 10);
    }

    [Fact]
    public void A_ring_keeps_its_size_and_orders_are_not_inherited()
    {
        var first = Start("e");
        first.ExcludeCgroup(12345);
        first.SetShedLevel(50);
        first.Attach();
        first.Leave();
        using var second = SensorInstance.Start(new SensorOptions { Name = "e", BpfFileSystem = bpffs.Path, RingBytes = 1 << 20 });
        using var reader = new SensorReader(second);
        Assert.Equal(1 << 18, reader.RingBytes);
        second.Attach();
        var sink = new CollectingSink();
        Assert.True(reader.TakeOver(ref sink, second.HandOver!));
        RunTrue("unshed", 1);
        Settle(second, reader, sink);
        Assert.True(sink.Of<ProcessExitRecord>(RecordClass.ProcessExit).Any());
        // It was forgotten, so it can be set again.
        second.IncludeCgroup(12345);
        second.ExcludeCgroup(12345);
    }

    private static StampSnapshot Settle(SensorInstance instance, SensorReader reader, CollectingSink sink)
    {
        var snapshot = new StampSnapshot();
        instance.Read(snapshot);
        Assert.True(reader.Settle(ref sink, snapshot));
        return snapshot;
    }

    private static ulong? FirstWaiting(SensorInstance instance, ushort cpu)
    {
        using var ring = LibbpfSharp.Ring.RingReader.Open(instance.Events);
        while (ring.TryRead(out var record))
        {
            ref readonly var header = ref System.Runtime.InteropServices.MemoryMarshal.AsRef<RecordHeader>(record.Data);
            if (header.Class == Exec && header.Cpu == cpu)
            {
                return header.Seq;
            }
        }
        return null;
    }

    private static void RunTrue(string mark, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var process = Process.Start("/bin/true", [mark]);
            process.WaitForExit();
        }
    }

    private static int Count(CollectingSink sink, string mark) =>
        sink.Execs().Count(exec => System.Text.Encoding.UTF8.GetString(exec.Argv).Contains(mark, StringComparison.Ordinal));

    private SensorInstance Start(string name) =>
        SensorInstance.Start(new SensorOptions { Name = name, BpfFileSystem = bpffs.Path, RingBytes = 1 << 18 });

    /// <summary>Like <see cref="CollectingSink"/>, for numbers that do not begin at 1.</summary>
    private sealed class SkippingSink : IRecordSink
    {
        public List<LostRange> Lost { get; } = [];

        public ulong RestartOf(ushort classId) =>
            Lost.Where(lost => lost.Class == classId).Aggregate(0ul, (sum, lost) => sum + lost.Restart);

        public void OnRecord(in RecordHeader header, ReadOnlySpan<byte> record)
        {
        }

        public void OnLost(in LostRange lost) => Lost.Add(lost);
    }
}
