using System.Buffers.Text;

namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>/proc/pressure/{cpu,memory,io}: "some avg10=0.00 avg60=0.00 avg300=0.00 total=123" (total in microseconds).</summary>
internal static class Pressure
{
    /// <param name="resource">cpu, memory or io: the device of the rows.</param>
    public static void Read(ReadOnlySpan<byte> text, ReadOnlySpan<byte> resource, IMetricSink sink)
    {
        var lines = new ProcText(text);
        while (lines.TryLine(out var line))
        {
            var kind = ProcText.Field(ref line);
            var some = kind.SequenceEqual("some"u8);
            if (!some && !kind.SequenceEqual("full"u8))
                continue;
            while (true)
            {
                var field = ProcText.Field(ref line);
                if (field.IsEmpty)
                    break;
                if (TryValue(field, "avg10="u8, out var percent))
                    sink.Add(some ? "pressure.some_10s"u8 : "pressure.full_10s"u8, resource, percent, MetricUnit.Percent);
                else if (TryValue(field, "total="u8, out var microseconds))
                    sink.Add(some ? "pressure.some_time"u8 : "pressure.full_time"u8, resource, microseconds / 1e6, MetricUnit.Seconds);
            }
        }
    }

    private static bool TryValue(ReadOnlySpan<byte> field, ReadOnlySpan<byte> key, out double value)
    {
        value = 0;
        return field.StartsWith(key) && Utf8Parser.TryParse(field[key.Length..], out value, out var used) && used == field.Length - key.Length;
    }
}
