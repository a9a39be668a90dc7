using System.Diagnostics;
using System.Globalization;

namespace Streams.Agent.Tests.Takeover;

/// <summary>A shell per CPU that starts a program without end, each time with the next number.</summary>
internal sealed class Workload : IDisposable
{
    private readonly List<Process> _shells;

    public Workload()
    {
        _shells = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(Start)];
    }

    /// <summary>In the arguments of every program that it starts.</summary>
    public string Mark { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Ends it and returns how many programs were started.</summary>
    public ulong Stop()
    {
        ulong started = 0;
        foreach (var shell in _shells)
        {
            shell.StandardInput.Close();
            started += ulong.Parse(shell.StandardOutput.ReadToEnd(), CultureInfo.InvariantCulture);
            shell.WaitForExit();
            shell.Dispose();
        }

        _shells.Clear();
        return started;
    }

    public void Dispose()
    {
        foreach (var shell in _shells)
        {
            shell.Kill();
            shell.WaitForExit();
            shell.Dispose();
        }
    }

    // `read -t 0` of bash: true as soon as the input has ended.
    private Process Start(int cpu)
    {
        var number = cpu.ToString(CultureInfo.InvariantCulture);
        return Process.Start(new ProcessStartInfo(
            "taskset",
            ["-c", number, "/bin/bash", "-c", $"i=0; while ! read -t 0; do i=$((i+1)); /bin/true {Mark} {number}-$i; done; echo $i"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }
}
