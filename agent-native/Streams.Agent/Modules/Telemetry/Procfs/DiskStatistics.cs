using System.Text;

namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>/proc/diskstats: counters since boot of whole disks that have been used. Partitions and unused loop devices are left out.</summary>
/// <param name="isWholeDisk">Whether a device name is a disk of its own; asked once a name.</param>
internal sealed class DiskStatistics(Func<string, bool> isWholeDisk)
{
    /// <summary>diskstats counts in units of 512 bytes whatever the device's sectors are (Documentation/admin-guide/iostats.rst).</summary>
    private const double SectorBytes = 512;

    private readonly List<(byte[] Name, bool Whole)> _known = [];

    public static DiskStatistics OfThisHost() => new(static name => !File.Exists($"/sys/class/block/{name}/partition"));

    public void Read(ReadOnlySpan<byte> text, IMetricSink sink)
    {
        Span<ulong> n = stackalloc ulong[11];
        var lines = new ProcText(text);
        while (lines.TryLine(out var line))
        {
            ProcText.Field(ref line);
            ProcText.Field(ref line);
            var device = ProcText.Field(ref line);
            var fields = 0;
            while (fields < n.Length && ProcText.TryNumber(ref line, out var value))
                n[fields++] = value;
            // Fields: 0 reads, 2 sectors read, 3 ms reading, 4 writes, 6 sectors written, 7 ms writing, 8 in flight, 9 ms busy.
            if (fields < n.Length || (n[0] == 0 && n[4] == 0) || !IsWhole(device))
                continue;
            sink.Add("disk.reads"u8, device, n[0], MetricUnit.Count);
            sink.Add("disk.read_bytes"u8, device, n[2] * SectorBytes, MetricUnit.Bytes);
            sink.Add("disk.read_time"u8, device, n[3] / 1000.0, MetricUnit.Seconds);
            sink.Add("disk.writes"u8, device, n[4], MetricUnit.Count);
            sink.Add("disk.written_bytes"u8, device, n[6] * SectorBytes, MetricUnit.Bytes);
            sink.Add("disk.write_time"u8, device, n[7] / 1000.0, MetricUnit.Seconds);
            sink.Add("disk.in_flight"u8, device, n[8], MetricUnit.Count);
            sink.Add("disk.busy_time"u8, device, n[9] / 1000.0, MetricUnit.Seconds);
        }
    }

    private bool IsWhole(ReadOnlySpan<byte> device)
    {
        foreach (var (name, whole) in _known)
        {
            if (device.SequenceEqual(name))
                return whole;
        }

        // '!' in a name of /sys stands for '/' in that of the device (cciss!c0d0).
        var found = isWholeDisk(Encoding.UTF8.GetString(device).Replace('/', '!'));
        _known.Add((device.ToArray(), found));
        return found;
    }
}
