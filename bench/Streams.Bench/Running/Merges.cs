namespace Streams.Bench.Running;

/// <summary>Background merges belong to the cost of an insert: a measurement ends when they have.</summary>
internal static class Merges
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Waits until no merge has run for two seconds, at most a minute.</summary>
    public static async Task SettleAsync(EngineClient rows, CancellationToken stop)
    {
        var until = DateTime.UtcNow + Deadline;
        var quietSince = DateTime.UtcNow;
        while (DateTime.UtcNow < until && DateTime.UtcNow - quietSince < Quiet)
        {
            await Task.Delay(200, stop);
            if ((await rows.QueryAsync("SELECT count() FROM system.merges", stop))[0][0] != "0")
            {
                quietSince = DateTime.UtcNow;
            }
        }
    }
}
