using System.Diagnostics;
using Streams.Bench.Running;

namespace Streams.Bench.Comparisons.Peers;

/// <summary>A program of the user's: reads the JSON lines of process_exec on stdin and posts them, as they are, to the address in CLICKHOUSE_URL.</summary>
internal sealed class Collector
{
    private Collector(string program) => Program = program;

    public string Program { get; }

    /// <summary>Null when none is given.</summary>
    /// <exception cref="BenchFailure">There is no such program.</exception>
    public static Collector? Of(string? program) => program is null ? null
        : File.Exists(program) ? new Collector(Path.GetFullPath(program))
        : throw new BenchFailure($"--collector {program}: there is no such file");

    /// <summary>Starts one for each class, feeds them, waits for their end and for <paramref name="arrived"/>.</summary>
    /// <returns>CPU seconds that they and their children used.</returns>
    /// <exception cref="BenchFailure">One cannot be started or ended with another exit code than 0.</exception>
    public async Task<double> RunAsync(string directory, IReadOnlyList<PeerTarget> targets, Func<Task> arrived, CancellationToken stop)
    {
        var before = ChildrenCpu.Seconds();
        await Task.WhenAll(targets.Select(target => RunOneAsync(directory, target, stop)));
        await arrived();
        return ChildrenCpu.Seconds() - before;
    }

    private async Task RunOneAsync(string directory, PeerTarget target, CancellationToken stop)
    {
        var start = new ProcessStartInfo(Program) { RedirectStandardInput = true, WorkingDirectory = directory };
        start.Environment["CLICKHOUSE_URL"] = target.InsertUrlWithPassword;
        using var process = Start(start);
        try
        {
            await target.WriteAsync(process.StandardInput.BaseStream, stop);
            process.StandardInput.Close();
            await process.WaitForExitAsync(stop);
        }
        catch (IOException) when (!stop.IsCancellationRequested)
        {
            // It reads no more: its exit code says more than a broken pipe.
            await process.WaitForExitAsync(stop);
            throw new BenchFailure($"--collector {Program} ended with {process.ExitCode} before it had read all lines");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode != 0)
        {
            throw new BenchFailure($"--collector {Program} ended with {process.ExitCode}");
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new BenchFailure($"--collector {start.FileName} cannot be started: {error.Message}");
        }
    }
}
