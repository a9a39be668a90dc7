using System.Buffers.Text;

namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>/proc/loadavg: "0.20 0.18 0.12 1/80 11206".</summary>
internal static class LoadAverage
{
    public static void Read(ReadOnlySpan<byte> text, IMetricSink sink)
    {
        var line = text.TrimEnd((byte)'\n');
        if (ProcText.TryFraction(ref line, out var one) && ProcText.TryFraction(ref line, out var five) && ProcText.TryFraction(ref line, out var fifteen))
        {
            sink.Add("load.1m"u8, default, one, MetricUnit.Count);
            sink.Add("load.5m"u8, default, five, MetricUnit.Count);
            sink.Add("load.15m"u8, default, fifteen, MetricUnit.Count);
        }

        var tasks = ProcText.Field(ref line);
        var slash = tasks.IndexOf((byte)'/');
        if (slash > 0 && Utf8Parser.TryParse(tasks[..slash], out ulong runnable, out _) && Utf8Parser.TryParse(tasks[(slash + 1)..], out ulong total, out _))
        {
            sink.Add("threads.runnable"u8, default, runnable, MetricUnit.Count);
            sink.Add("threads.total"u8, default, total, MetricUnit.Count);
        }
    }
}
