namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>The files with one or two numbers.</summary>
internal static class HostCounters
{
    /// <summary>/proc/sys/fs/file-nr: "1024 0 9223372036854775807" (open, free, most).</summary>
    public static void ReadFileHandles(ReadOnlySpan<byte> text, IMetricSink sink)
    {
        var line = text.TrimEnd((byte)'\n');
        if (ProcText.TryNumber(ref line, out var open) && ProcText.TryNumber(ref line, out _) && ProcText.TryNumber(ref line, out var most))
        {
            sink.Add("files.open"u8, default, open, MetricUnit.Count);
            sink.Add("files.most"u8, default, most, MetricUnit.Count);
        }
    }

    /// <summary>/proc/uptime: "3600.12 7100.50" (since boot, idle summed over CPUs).</summary>
    public static void ReadUptime(ReadOnlySpan<byte> text, IMetricSink sink)
    {
        var line = text.TrimEnd((byte)'\n');
        if (ProcText.TryFraction(ref line, out var seconds))
            sink.Add("uptime"u8, default, seconds, MetricUnit.Seconds);
    }

    /// <summary>/proc/net/sockstat: "TCP: inuse 5 orphan 0 tw 2 alloc 8 mem 1".</summary>
    public static void ReadSockets(ReadOnlySpan<byte> text, IMetricSink sink)
    {
        var lines = new ProcText(text);
        while (lines.TryLine(out var line))
        {
            var protocol = ProcText.Field(ref line);
            var tcp = protocol.SequenceEqual("TCP:"u8);
            if (!tcp && !protocol.SequenceEqual("UDP:"u8))
                continue;
            while (true)
            {
                var key = ProcText.Field(ref line);
                if (key.IsEmpty || !ProcText.TryNumber(ref line, out var value))
                    break;
                if (key.SequenceEqual("inuse"u8))
                    sink.Add(tcp ? "sockets.tcp"u8 : "sockets.udp"u8, default, value, MetricUnit.Count);
                else if (key.SequenceEqual("tw"u8))
                    sink.Add("sockets.tcp_time_wait"u8, default, value, MetricUnit.Count);
            }
        }
    }
}
