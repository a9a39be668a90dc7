using System.Runtime.InteropServices;
using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using LibbpfSharp.Ring;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

/// <summary>Two contexts of a CPU emit the same class, one in the middle of the other.</summary>
public sealed class NestedTests : KernelTest
{
    private const ushort Class = 40;
    private const ulong FromInterrupt = 2;

    [Fact]
    public void No_number_is_given_twice_and_none_is_missing()
    {
        using var nested = TestObjects.Open("nested");
        nested.Map("events").MaxEntries = 16 << 20;
        MemoryMarshal.Write(nested.Map("nested.rodata").InitialValue, (uint)Environment.ProcessId);
        nested.Load();
        using var reader = RingReader.Open(nested.Map("events"));
        var seen = new Dictionary<ushort, HashSet<ulong>>();
        var last = new Dictionary<ushort, ulong>();
        var interrupts = 0;
        var inversions = 0;
        var links = new List<BpfLink>();
        try
        {
            for (var cpu = 0; cpu < Environment.ProcessorCount; cpu++)
            {
                using var clock = PerfEvent.OpenCpuClock(cpu, 20_000);
                links.Add(nested.Program("from_interrupt").AttachPerfEvent(clock));
            }
            links.Add(nested.Program("from_process").Attach());
            var until = Environment.TickCount64 + 3000;
            while (Environment.TickCount64 < until)
            {
                for (var i = 0; i < 50; i++)
                {
                    Thread.Sleep(0);
                }
                Read();
            }
        }
        finally
        {
            links.ForEach(link => link.Dispose());
        }
        Read();

        var slots = new ClassSlot[BpfMap.PossibleCpus];
        new PerCpuMap<uint, ClassSlot>(nested.Map("slots")).TryGet(Class, slots);
        foreach (var (cpu, numbers) in seen)
        {
            Assert.Equal(slots[cpu].Seq, (ulong)numbers.Count + slots[cpu].Lost.Total);
        }
        Assert.True(interrupts > 100, $"{interrupts} interrupts: nothing nested");
        Assert.True(inversions > 0, "no interrupt fell between reserve and stamp: nothing was tested");

        void Read()
        {
            while (reader.TryRead(out var record))
            {
                ref readonly var header = ref MemoryMarshal.AsRef<RecordHeader>(record.Data);
                if (!seen.TryGetValue(header.Cpu, out var numbers))
                {
                    seen.Add(header.Cpu, numbers = []);
                }
                Assert.True(numbers.Add(header.Seq), $"number {header.Seq} twice on CPU {header.Cpu}");
                interrupts += MemoryMarshal.Read<ulong>(record.Data[RecordHeader.ByteSize..]) == FromInterrupt ? 1 : 0;
                inversions += header.Seq < last.GetValueOrDefault(header.Cpu) ? 1 : 0;
                last[header.Cpu] = header.Seq;
            }
            reader.Commit();
        }
    }
}
