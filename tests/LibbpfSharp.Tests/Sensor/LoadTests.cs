using System.Diagnostics;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

/// <summary>A ring of one page under load on all CPUs: what is stored and what is lost add up to what was stamped.</summary>
public sealed class LoadTests() : SensorTest(ringBytes: 4096)
{
    private const ulong Overflows = 100;

    [Fact]
    public void Stored_and_lost_are_exactly_what_was_stamped()
    {
        var shells = Enumerable.Range(0, Environment.ProcessorCount).Select(StartShell).ToList();
        // A reader that is away until the ring has overflowed, then slow now and then.
        var stamped = new StampSnapshot();
        do
        {
            Thread.Sleep(1);
            Instance.Read(stamped);
        }
        while (RingFull(stamped) <= Overflows && shells.Any(shell => !shell.HasExited));
        var random = new Random(7);
        while (shells.Any(shell => !shell.HasExited))
        {
            Thread.Sleep(random.Next(0, 6));
            var sink = Sink;
            Reader.Drain(ref sink, random.Next(1, 20));
        }
        shells.ForEach(shell => shell.Dispose());
        var snapshot = Settle();

        Assert.Equal(0ul, Reader.Late);
        Assert.Equal(0ul, Reader.Malformed);
        Assert.Equal(0ul, Reader.Unknown);
        Assert.Equal(Sink.Lost.Aggregate(0ul, (sum, range) => sum + range.Count), Reader.Lost);
        Assert.All(Sink.Lost, lost => Assert.Equal(0ul, lost.Unknown));
        ulong ringFull = 0;
        foreach (var classId in RecordClass.All)
        {
            for (var cpu = 0; cpu < snapshot.Cpus; cpu++)
            {
                var slot = snapshot[classId, cpu];
                // The machine is not quiet: more may have been stamped after the snapshot. Up to the last number given, it adds up.
                Assert.True(Reader.LastContiguous(classId, cpu) >= slot.Seq);
                Assert.Equal(
                    Reader.LastContiguous(classId, cpu),
                    Sink.Stored.GetValueOrDefault((classId, (ushort)cpu)) + Sink.LostOf(classId, cpu));
                ringFull += slot.Lost.RingFull;
            }
        }
        Assert.True(ringFull > Overflows, $"only {ringFull} overflowed: the load was no load");
        var lost = Sink.Lost.Aggregate(0ul, (sum, range) => sum + range.Causes.RingFull);
        Assert.True(lost >= ringFull);
        Assert.True(Sink.Records.Count > 100);
        for (var cpu = 0; cpu < Environment.ProcessorCount; cpu++)
        {
            Assert.True(snapshot[RecordClass.ProcessExec, cpu].Seq > 100, $"no load on CPU {cpu}");
        }
    }

    [Fact]
    public void Detached_instance_settles_exactly()
    {
        using (var shell = StartShell(0))
        {
            shell.WaitForExit();
        }
        Instance.Detach();
        var snapshot = Settle();
        foreach (var classId in RecordClass.All)
        {
            for (var cpu = 0; cpu < snapshot.Cpus; cpu++)
            {
                var slot = snapshot[classId, cpu];
                Assert.Equal(slot.Seq, Reader.LastContiguous(classId, cpu));
                Assert.Equal(slot.Lost.Total, Sink.LostOf(classId, cpu));
            }
        }
        Assert.Contains(Sink.Lost, lost => lost.Causes.RingFull > 0);
    }

    private static ulong RingFull(StampSnapshot snapshot)
    {
        ulong sum = 0;
        foreach (var classId in RecordClass.All)
        {
            for (var cpu = 0; cpu < snapshot.Cpus; cpu++)
            {
                sum += snapshot[classId, cpu].Lost.RingFull;
            }
        }
        return sum;
    }

    private static Process StartShell(int cpu) =>
        Process.Start("taskset", ["-c", cpu.ToString(), "/bin/sh", "-c", "i=0; while [ $i -lt 400 ]; do /bin/true $i; i=$((i+1)); done"]);
}
