namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>/proc/stat: CPU time by state since boot, the share that was busy since the last reading, and the host's counters.</summary>
internal sealed class CpuTimes
{
    /// <summary>USER_HZ, the unit of /proc/stat: 100 on every architecture that .NET runs on, whatever CONFIG_HZ is (asm/param.h).</summary>
    private const double TicksPerSecond = 100;

    private const int States = 8;
    private const int Idle = 3;
    private const int IoWait = 4;

    private ulong _lastTotal;
    private ulong _lastIdle;

    public void Read(ReadOnlySpan<byte> text, IMetricSink sink)
    {
        var lines = new ProcText(text);
        var processors = 0;
        while (lines.TryLine(out var line))
        {
            var name = ProcText.Field(ref line);
            if (name.SequenceEqual("cpu"u8))
                ReadStates(line, sink);
            else if (name.StartsWith("cpu"u8))
                processors++;
            else if (ProcText.TryNumber(ref line, out var value))
                ReadCounter(name, value, sink);
        }

        if (processors > 0)
            sink.Add("cpu.count"u8, default, processors, MetricUnit.Count);
    }

    private static ReadOnlySpan<byte> StateName(int state) => state switch
    {
        0 => "cpu.user"u8,
        1 => "cpu.nice"u8,
        2 => "cpu.system"u8,
        Idle => "cpu.idle"u8,
        IoWait => "cpu.iowait"u8,
        5 => "cpu.irq"u8,
        6 => "cpu.softirq"u8,
        _ => "cpu.steal"u8,
    };

    private static void ReadCounter(ReadOnlySpan<byte> name, ulong value, IMetricSink sink)
    {
        if (name.SequenceEqual("ctxt"u8))
            sink.Add("context_switches"u8, default, value, MetricUnit.Count);
        else if (name.SequenceEqual("intr"u8))
            sink.Add("interrupts"u8, default, value, MetricUnit.Count);
        else if (name.SequenceEqual("processes"u8))
            sink.Add("processes.created"u8, default, value, MetricUnit.Count);
        else if (name.SequenceEqual("procs_running"u8))
            sink.Add("processes.running"u8, default, value, MetricUnit.Count);
        else if (name.SequenceEqual("procs_blocked"u8))
            sink.Add("processes.blocked"u8, default, value, MetricUnit.Count);
    }

    private void ReadStates(ReadOnlySpan<byte> line, IMetricSink sink)
    {
        ulong total = 0, idle = 0;
        for (var state = 0; state < States && ProcText.TryNumber(ref line, out var ticks); state++)
        {
            sink.Add(StateName(state), default, ticks / TicksPerSecond, MetricUnit.Seconds);
            total += ticks;
            if (state is Idle or IoWait)
                idle += ticks;
        }

        // iowait may go backwards on an idle CPU (documented in proc(5)): then there is no share to report.
        if (_lastTotal != 0 && total > _lastTotal && idle >= _lastIdle && idle - _lastIdle <= total - _lastTotal)
            sink.Add("cpu.busy"u8, default, 100.0 * (1 - ((idle - _lastIdle) / (double)(total - _lastTotal))), MetricUnit.Percent);
        _lastTotal = total;
        _lastIdle = idle;
    }
}
