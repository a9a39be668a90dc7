namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>/proc/meminfo: the lines a person looks at, in bytes.</summary>
internal static class MemoryInfo
{
    public static void Read(ReadOnlySpan<byte> text, IMetricSink sink)
    {
        var lines = new ProcText(text);
        while (lines.TryLine(out var line))
        {
            var metric = Metric(ProcText.Field(ref line));
            if (!metric.IsEmpty && ProcText.TryNumber(ref line, out var kibibytes))
                sink.Add(metric, default, kibibytes * 1024.0, MetricUnit.Bytes);
        }
    }

    private static ReadOnlySpan<byte> Metric(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("MemTotal:"u8) ? "memory.total"u8
        : name.SequenceEqual("MemFree:"u8) ? "memory.free"u8
        : name.SequenceEqual("MemAvailable:"u8) ? "memory.available"u8
        : name.SequenceEqual("Buffers:"u8) ? "memory.buffers"u8
        : name.SequenceEqual("Cached:"u8) ? "memory.cached"u8
        : name.SequenceEqual("AnonPages:"u8) ? "memory.anonymous"u8
        : name.SequenceEqual("Slab:"u8) ? "memory.slab"u8
        : name.SequenceEqual("Dirty:"u8) ? "memory.dirty"u8
        : name.SequenceEqual("Writeback:"u8) ? "memory.writeback"u8
        : name.SequenceEqual("Committed_AS:"u8) ? "memory.committed"u8
        : name.SequenceEqual("SwapTotal:"u8) ? "swap.total"u8
        : name.SequenceEqual("SwapFree:"u8) ? "swap.free"u8
        : default;
}
