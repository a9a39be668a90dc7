using System.Globalization;

namespace Streams.Bench.Running;

/// <summary>CPU time that processes have used, user and system together, from /proc/PID/stat (proc(5), fields 14 and 15).</summary>
internal static class ProcessCpu
{
    /// <summary>USER_HZ: 100 on every Linux that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>CPU seconds by name.</summary>
    public static Dictionary<string, double> Read(IReadOnlyDictionary<string, int> processes) =>
        processes.ToDictionary(process => process.Key, process => Seconds(process.Value));

    public static double Seconds(int pid)
    {
        var text = File.ReadAllText($"/proc/{pid}/stat");
        // The name in parentheses may hold anything; the fields after the last one are plain.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
