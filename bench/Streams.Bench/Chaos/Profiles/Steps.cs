using Streams.Bench.Chaos.Sources;
using Streams.Bench.Running;

namespace Streams.Bench.Chaos.Profiles;

/// <summary>What single profiles do that no schedule of faults can say.</summary>
internal static class Steps
{
    /// <summary>The batch of a poisoned source that cannot be decoded.</summary>
    public const int PoisonedBatch = 20;

    // A second or two of a source's batches.
    private const long CaughtUpBytes = 256 << 10;

    private static readonly TimeSpan RecoveryDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DrainDeadline = TimeSpan.FromMinutes(2);

    /// <summary>Goes on until what piled up is committed.</summary>
    public static async Task CatchUpAsync(ChaosRun run, CancellationToken stop)
    {
        var until = DateTime.UtcNow + DrainDeadline;
        while (run.Sources.Any(source => source.Status is not { UncommittedBytes: < CaughtUpBytes }))
        {
            if (DateTime.UtcNow > until)
            {
                run.Failures.Add($"the backlog was not committed within {DrainDeadline.TotalSeconds:0} s");
                return;
            }

            await Task.Delay(100, stop);
        }
    }

    /// <summary>A source's directory is copied while it runs, as a machine image is, and started beside it: two processes, one
    /// key.</summary>
    public static async Task CloneAsync(ChaosRun run, CancellationToken stop)
    {
        var original = run.Sources[0];
        original.Process.Pause();
        var clone = original.Twin(new SourceFiles(original.Files.Directory + "-clone"));
        await CopyAsync(original.Files.Directory, clone.Files.Directory, stop);
        original.Process.Resume();
        clone.Start();
        run.Sources.Add(clone);
        for (var round = 0; round < 3; round++)
        {
            await ExpectRowsAsync(run, "clone and original did not both have rows committed", stop);
            await Task.Delay(TimeSpan.FromSeconds(2), stop);
        }
    }

    /// <summary>A directory with batches that were not committed is saved, everything in it is committed, then the old directory is put
    /// back.</summary>
    public static async Task RestoreAsync(ChaosRun run, CancellationToken stop)
    {
        var source = run.Sources[0];
        var saved = source.Files.Directory + "-saved";
        run.Network.Cut();
        var kept = source.Status?.Kept ?? 0;
        while ((source.Status?.Kept ?? 0) < kept + 100)
        {
            await Task.Delay(100, stop);
        }

        await source.KillAsync();
        await CopyAsync(source.Files.Directory, saved, stop);
        run.Network.Heal();
        source.Start();
        await ExpectRowsAsync(run, "no rows after the copy", stop);
        var exit = await source.Process.StopAsync(DrainDeadline);
        if (exit.Code != 0)
        {
            run.Failures.Add($"not drained before the restore: {exit}");
        }

        await source.DisposeAsync();
        Directory.Delete(source.Files.Spool, recursive: true);
        await CopyAsync(Path.Combine(saved, "spool"), source.Files.Spool, stop);
        File.Copy(Path.Combine(saved, "connects"), source.Files.Connects, overwrite: true);
        source.Start();
        await ExpectRowsAsync(run, "no rows after the restore", stop);
    }

    /// <summary>A source is started again and one of the batches of its first agent cannot be decoded.</summary>
    public static async Task PoisonAsync(ChaosRun run, CancellationToken stop)
    {
        await run.Sources[0].KillAsync();
        run.Sources[0].Start("--poison-batch", PoisonedBatch.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var until = DateTime.UtcNow + RecoveryDeadline;
        while (DateTime.UtcNow < until && (await run.Engine.QueryAsync($"SELECT 1 FROM dead_letter WHERE agent_id = '{run.Sources[0].Agents[0].Id}'", stop)).Count == 0)
        {
            await Task.Delay(200, stop);
        }

        await ExpectRowsAsync(run, "no rows after the poison", stop);
    }

    private static async Task ExpectRowsAsync(ChaosRun run, string otherwise, CancellationToken stop)
    {
        if (await run.Recovery.WaitAsync(RecoveryDeadline, stop) is null)
        {
            run.Failures.Add(otherwise);
        }
    }

    // As an image of a disk is made: without asking who has a file open or locked.
    private static async Task CopyAsync(string from, string to, CancellationToken stop)
    {
        using var process = System.Diagnostics.Process.Start("cp", ["-a", from, to]);
        await process.WaitForExitAsync(stop);
        if (process.ExitCode != 0)
        {
            throw new BenchFailure($"{from} cannot be copied to {to}");
        }
    }
}
