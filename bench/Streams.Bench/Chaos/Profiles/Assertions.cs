using System.Globalization;

namespace Streams.Bench.Chaos.Profiles;

/// <summary>What single profiles assert.</summary>
internal static class Assertions
{
    /// <summary>
    /// After a cut, an event does not wait for what piled up before it: 95 of 100 events that were made while the backlog came in were at the
    /// gateway in less than half of the time that the backlog took. In one queue they would have had to wait for what is left of it.
    /// </summary>
    public static async Task LiveRowsAreNotBehindBacklogAsync(ChaosRun run, CancellationToken stop)
    {
        var cut = run.Done[^1];
        foreach (var source in run.Sources)
        {
            var rows = $"FROM network_connect WHERE agent_id = '{source.Id}'";
            var backlog = (await run.Engine.QueryAsync(
                $"SELECT count(), toUnixTimestamp64Micro(min(received_at)), toUnixTimestamp64Micro(max(received_at)) {rows} "
                + $"AND time BETWEEN {Time(cut.Began)} AND {Time(cut.Healed)} AND received_at > {Time(cut.Healed)}", stop))[0];
            var (count, first, last) = (Number(backlog[0]), Number(backlog[1]), Number(backlog[2]));
            var live = (await run.Engine.QueryAsync(
                "SELECT count(), quantileExact(0.95)(toUnixTimestamp64Micro(received_at) - toUnixTimestamp64Micro(time)) "
                + $"{rows} AND toUnixTimestamp64Micro(time) BETWEEN {first} AND {last}", stop))[0];
            var (during, wait) = (Number(live[0]), Number(live[1]));
            Console.WriteLine($"{source.Id}: {count:N0} events of the cut within {(last - first) / 1e6:0.00} s, {count / Math.Max(1e-6, (last - first) / 1e6):N0}/s; "
                + $"{during:N0} were made meanwhile, 95 % of them there within {wait / 1e6:0.00} s");
            if (count == 0 || during == 0)
            {
                run.Failures.Add($"{source.Id}: {count} events of the cut and {during} made while they came in: nothing to compare");
            }
            else if (wait >= (last - first) / 2)
            {
                run.Failures.Add($"{source.Id}: live rows were behind the backlog: {wait / 1e6:0.00} s of {(last - first) / 1e6:0.00} s");
            }
        }
    }

    /// <summary>Every fault damaged the queue, rows were committed that it was never told of, and no session ended.</summary>
    public static Task DamageWasDoneUnderLivingSessionsAsync(ChaosRun run, CancellationToken stop)
    {
        if (run.Done.FirstOrDefault(done => done.Damage is not { Extent: > 0 }) is { } intact)
        {
            run.Failures.Add($"{intact.Fault} damaged nothing");
        }

        if (run.Done.Sum(done => done.Damage?.CommittedUnheard ?? 0) == 0)
        {
            run.Failures.Add("no rows were committed that the queue had not heard of");
        }

        return NoSessionEndedAsync(run, stop);
    }

    /// <summary>Every gateway that was stopped had published what it had no answer to.</summary>
    public static Task PublishesWereInFlightAsync(ChaosRun run, CancellationToken stop)
    {
        if (run.Done.FirstOrDefault(done => done.InFlight is not > 0) is { } idle)
        {
            run.Failures.Add($"{idle.Fault}: no publishes in flight");
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

    /// <summary>A row says that the first source is a copy, or has one, and of no other source.</summary>
    public static async Task CopyIsVisibleAsync(ChaosRun run, CancellationToken stop)
    {
        var ofRun = string.Join(", ", run.Sources.Select(source => $"'{source.Id}'"));
        var copied = await run.Engine.QueryAsync($"SELECT agent, groupUniqArray(clone) FROM agent_session WHERE agent IN ({ofRun}) AND clone != '' GROUP BY agent", stop);
        Console.WriteLine($"copies seen: {string.Join("; ", copied.Select(row => string.Join(' ', row)))}");
        if (copied.Count != 1 || copied[0][0] != run.Sources[0].Id)
        {
            run.Failures.Add($"rows of agent_session name {copied.Count} copied agents, expected {run.Sources[0].Id} alone");
        }
    }

    /// <summary>One dead letter with its cause, and the rows after it stored.</summary>
    public static async Task PoisonIsADeadLetterAsync(ChaosRun run, CancellationToken stop)
    {
        var ofRun = $"agent_id IN ({string.Join(", ", run.Sources.SelectMany(source => source.Agents).Select(agent => $"'{agent.Id}'"))})";
        var letters = await run.Engine.QueryAsync("SELECT agent_id, cause, rows FROM dead_letter WHERE " + ofRun, stop);
        var counted = await run.Engine.QueryAsync("SELECT sum(lost_dead_letter) FROM loss_ledger WHERE " + ofRun, stop);
        if (letters.Count != 1 || letters[0][0] != run.Sources[0].Agents[0].Id || letters[0][1] != "undecodable" || letters[0][2] != counted[0][0])
        {
            run.Failures.Add($"dead letters: {string.Join("; ", letters.Select(row => string.Join(' ', row)))}; counted {counted[0][0]}");
        }
    }

    private static string Time(DateTime utc) => string.Create(CultureInfo.InvariantCulture, $"fromUnixTimestamp64Micro({(utc - DateTime.UnixEpoch).Ticks / 10})");

    private static long Number(string text) => (long)double.Parse(text, CultureInfo.InvariantCulture);
}
