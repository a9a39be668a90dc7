namespace Streams.Agent.Processes;

/// <summary>CPU use per module between two heartbeats. One caller at a time.</summary>
internal sealed class ModuleLoad(ModuleCosts costs, TimeProvider clock)
{
    private readonly Dictionary<string, ulong> _microsecondsBefore = [];
    private long _readAt = clock.GetTimestamp();
    private double _milliseconds;

    /// <summary>Begins a reading: what <see cref="TakePermille"/> answers is about the time since the last one, at first since this was made.</summary>
    public void Read()
    {
        costs.Sample();
        var now = clock.GetTimestamp();
        _milliseconds = clock.GetElapsedTime(_readAt, now).TotalMilliseconds;
        _readAt = now;
    }

    /// <summary>Thousandths of one core that the module used, once per module and reading. Above 1,000 when it used more than one.</summary>
    public uint TakePermille(string module)
    {
        var used = costs.CpuMicroseconds(module);
        var before = _microsecondsBefore.GetValueOrDefault(module);
        _microsecondsBefore[module] = used;
        // Microseconds per millisecond are thousandths.
        return _milliseconds > 0 ? (uint)Math.Min((used - before) / _milliseconds, uint.MaxValue) : 0;
    }
}
