using System.Buffers.Text;
using Streams.Agent.Modules.Telemetry.Procfs;

namespace Streams.Agent.Processes;

/// <summary>What this process costs, as the kernel sees it.</summary>
internal static class AgentProcess
{
    /// <summary>Resident bytes now. From smaps_rollup, because the counters of /proc/self/status are per-CPU sums that lag by up to 256 KiB a CPU.</summary>
    public static long ResidentBytes()
    {
        var exact = Kibibytes("/proc/self/smaps_rollup", "Rss:"u8);
        return exact > 0 ? exact : Kibibytes("/proc/self/status", "VmRSS:"u8);
    }

    /// <summary>Most resident bytes since the start.</summary>
    public static long PeakResidentBytes() => Kibibytes("/proc/self/status", "VmHWM:"u8);

    private static long Kibibytes(string path, ReadOnlySpan<byte> name)
    {
        Span<byte> bytes = stackalloc byte[4096];
        try
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var lines = new ProcText(bytes[..RandomAccess.Read(handle, bytes, 0)]);
            while (lines.TryLine(out var line))
            {
                if (line.StartsWith(name) && Utf8Parser.TryParse(line[name.Length..].TrimStart(" \t"u8), out long kibibytes, out _))
                    return kibibytes * 1024;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel without smaps_rollup: the caller has a second source.
        }

        return 0;
    }
}
