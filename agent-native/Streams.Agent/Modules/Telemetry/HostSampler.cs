using Streams.Agent.Modules.Telemetry.Procfs;

namespace Streams.Agent.Modules.Telemetry;

/// <summary>Reads all host metrics once. Files stay open between samples; after the first sample nothing is allocated.</summary>
internal sealed class HostSampler : IDisposable
{
    private readonly ProcBuffer _buffer = new();
    private readonly ProcBuffer _stateBuffer = new();
    private readonly ProcFile _load;
    private readonly ProcFile _stat;
    private readonly ProcFile _memory;
    private readonly ProcFile _disks;
    private readonly ProcFile _network;
    private readonly ProcFile _files;
    private readonly ProcFile _uptime;
    private readonly ProcFile _sockets;
    private readonly ProcFile _cpuPressure;
    private readonly ProcFile _memoryPressure;
    private readonly ProcFile _ioPressure;
    private readonly CpuTimes _cpuTimes = new();
    private readonly DiskStatistics _diskStatistics = DiskStatistics.OfThisHost();
    private readonly NetworkDevices _networkDevices;

    public HostSampler()
    {
        _load = new ProcFile("/proc/loadavg", _buffer);
        _stat = new ProcFile("/proc/stat", _buffer);
        _memory = new ProcFile("/proc/meminfo", _buffer);
        _disks = new ProcFile("/proc/diskstats", _buffer);
        _network = new ProcFile("/proc/net/dev", _buffer);
        _sockets = new ProcFile("/proc/net/sockstat", _buffer);
        _files = new ProcFile("/proc/sys/fs/file-nr", _buffer);
        _uptime = new ProcFile("/proc/uptime", _buffer);
        _cpuPressure = new ProcFile("/proc/pressure/cpu", _buffer);
        _memoryPressure = new ProcFile("/proc/pressure/memory", _buffer);
        _ioPressure = new ProcFile("/proc/pressure/io", _buffer);
        _networkDevices = NetworkDevices.OfThisHost(_stateBuffer);
    }

    public void Sample(IMetricSink sink)
    {
        LoadAverage.Read(_load.Read(), sink);
        _cpuTimes.Read(_stat.Read(), sink);
        MemoryInfo.Read(_memory.Read(), sink);
        _diskStatistics.Read(_disks.Read(), sink);
        _networkDevices.Read(_network.Read(), sink);
        HostCounters.ReadSockets(_sockets.Read(), sink);
        HostCounters.ReadFileHandles(_files.Read(), sink);
        HostCounters.ReadUptime(_uptime.Read(), sink);
        Pressure.Read(_cpuPressure.Read(), "cpu"u8, sink);
        Pressure.Read(_memoryPressure.Read(), "memory"u8, sink);
        Pressure.Read(_ioPressure.Read(), "io"u8, sink);
    }

    public void Dispose()
    {
        foreach (var file in (ReadOnlySpan<ProcFile>)[_load, _stat, _memory, _disks, _network, _files, _uptime, _sockets, _cpuPressure, _memoryPressure, _ioPressure])
            file.Dispose();
        _networkDevices.Dispose();
    }
}
