using System.Globalization;
using System.Runtime.InteropServices;

namespace Streams.Bench.Reports;

/// <summary>What a run ran on, as far as it matters for its numbers; nothing that names the machine.</summary>
internal sealed record Machine
{
    public required string Cpu { get; init; }

    public required int Cores { get; init; }

    public required long MemoryBytes { get; init; }

    public required string Kernel { get; init; }

    public required string Runtime { get; init; }

    public static Machine Read() => new()
    {
        Cpu = Field("/proc/cpuinfo", "model name") ?? "unknown",
        Cores = Environment.ProcessorCount,
        MemoryBytes = Field("/proc/meminfo", "MemTotal")?.Split(' ')[0] is { } kib ? long.Parse(kib, CultureInfo.InvariantCulture) * 1024 : 0,
        Kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        Runtime = RuntimeInformation.FrameworkDescription,
    };

    private static string? Field(string file, string name) => File.ReadLines(file)
        .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
}
