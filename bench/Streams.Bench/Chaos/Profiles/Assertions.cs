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

    /// <summary>The first session of every source has lasted.</summary>
    public static async Task NoSessionEndedAsync(ChaosRun run, CancellationToken stop)
    {
        foreach (var source in run.Sources)
        {
            // Before the first session the gateway was not there yet.
            var ends = (await File.ReadAllLinesAsync(source.Files.Log, stop))
                .SkipWhile(line => !line.Contains(" Connected ", StringComparison.Ordinal))
                .Where(line => line.Contains(" Disconnected ", StringComparison.Ordinal)).ToList();
            if (ends.Count > 0)
            {
                run.Failures.Add($"{source.Id} lost its session: {ends[0]}");
            }
        }
    }

    /// <summary>The gateway says that two processes are one agent.</summary>
    public static async Task CloneIsVisibleAsync(ChaosRun run, CancellationToken stop)
    {
        var log = await File.ReadAllTextAsync(Path.Combine(run.Stack.DataDirectory, "log", "streams-serve.log"), stop);
        if (!log.Contains("looks like a copy", StringComparison.Ordinal))
        {
            run.Failures.Add("the clone is not visible in the gateway's log");
        }
    }

    /// <summary>One dead letter with its cause, and the rows after it stored.</summary>
    public static async Task PoisonIsADeadLetterAsync(ChaosRun run, CancellationToken stop)
    {
        var ofRun = $"agent_id IN ({string.Join(", ", run.Sources.Select(source => $"'{source.Id}'"))})";
        var letters = await run.Engine.QueryAsync("SELECT agent_id, cause, rows FROM dead_letter WHERE " + ofRun, stop);
        var counted = await run.Engine.QueryAsync("SELECT sum(lost_dead_letter) FROM loss_ledger WHERE " + ofRun, stop);
        if (letters.Count != 1 || letters[0][0] != run.Sources[0].Id || letters[0][1] != "undecodable" || letters[0][2] != counted[0][0])
        {
            run.Failures.Add($"dead letters: {string.Join("; ", letters.Select(row => string.Join(' ', row)))}; counted {counted[0][0]}");
        }
    }
}
