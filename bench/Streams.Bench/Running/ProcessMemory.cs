using System.Globalization;

namespace Streams.Bench.Running;

/// <summary>Resident memory of a process from /proc/PID/status (proc(5)), in bytes.</summary>
internal static class ProcessMemory
{
    public static long Resident(int pid) => Read(pid, "VmRSS:");

    public static long PeakResident(int pid) => Read(pid, "VmHWM:");

    private static long Read(int pid, string field)
    {
        foreach (var line in File.ReadLines($"/proc/{pid}/status"))
        {
            if (line.StartsWith(field, StringComparison.Ordinal))
            {
                var number = line.AsSpan(field.Length).Trim();
                return long.Parse(number[..number.IndexOf(' ')], CultureInfo.InvariantCulture) * 1024;
            }
        }
        throw new BenchFailure($"/proc/{pid}/status has no {field}");
    }
}
