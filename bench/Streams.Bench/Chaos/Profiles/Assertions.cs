namespace Streams.Bench.Chaos.Profiles;

/// <summary>What single profiles assert.</summary>
internal static class Assertions
{
    private static readonly TimeSpan LiveWithin = TimeSpan.FromSeconds(10);

    /// <summary>After a cut, rows of now are committed before the backlog is.</summary>
    public static Task LiveRowsAreNotBehindBacklogAsync(ChaosRun run, CancellationToken stop)
    {
        foreach (var (fault, recovery) in run.Done.Where(done => done.Recovery > LiveWithin))
        {
            run.Failures.Add($"live rows were behind the backlog: {recovery} after {fault}");
        }

        return Task.CompletedTask;
    }

    /// <summary>Every source has had one session.</summary>
    public static async Task NoSessionEndedAsync(ChaosRun run, CancellationToken stop)
    {
        foreach (var source in run.Sources)
        {
            var ends = (await File.ReadAllLinesAsync(source.Files.Log, stop)).Where(line => line.Contains(" Disconnected ", StringComparison.Ordinal)).ToList();
            if (ends.Count > 0)
            {
                run.Failures.Add($"{source.Id} lost its session: {ends[0]}");
            }
        }
    }
}
