using Streams.Agent.Modules.Telemetry;
using Streams.Agent.Modules.Telemetry.Procfs;

namespace Streams.Agent.Modules.Core;

/// <summary>Load, CPU and memory of the host for the heartbeat. Works also when the Telemetry module is off. Called by one task at a time.</summary>
internal sealed class HostPulse : IMetricSink
{
    private readonly ProcFile _load;
    private readonly ProcFile _stat;
    private readonly ProcFile _memory;
    private readonly CpuTimes _cpuTimes = new();
    private double _memoryTotal;
    private double _memoryAvailable;

    public HostPulse()
    {
        var buffer = new ProcBuffer();
        _load = new ProcFile("/proc/loadavg", buffer);
        _stat = new ProcFile("/proc/stat", buffer);
        _memory = new ProcFile("/proc/meminfo", buffer);
    }

    public double Load { get; private set; }

    /// <summary>Since the last reading, of all CPUs.</summary>
    public double CpuPercent { get; private set; }

    public double MemoryPercent => _memoryTotal > 0 ? 100 * (1 - (_memoryAvailable / _memoryTotal)) : 0;

    public void Read()
    {
        LoadAverage.Read(_load.Read(), this);
        _cpuTimes.Read(_stat.Read(), this);
        MemoryInfo.Read(_memory.Read(), this);
    }

    void IMetricSink.Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> device, double value, ReadOnlySpan<byte> unit)
    {
        if (name.SequenceEqual("load.1m"u8))
            Load = value;
        else if (name.SequenceEqual("cpu.busy"u8))
            CpuPercent = value;
        else if (name.SequenceEqual("memory.total"u8))
            _memoryTotal = value;
        else if (name.SequenceEqual("memory.available"u8))
            _memoryAvailable = value;
    }
}
