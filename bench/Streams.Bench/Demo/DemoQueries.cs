using System.Globalization;
using Streams.Bench.Running;

namespace Streams.Bench.Demo;

/// <summary>The demo's checks, as SQL over the rows.</summary>
internal sealed class DemoQueries(EngineClient rows, MarkedWorkload workload)
{
    private const string Connected = "isIPAddressInRange(toString(remote_address), '::ffff:127.77.0.0/112')";

    /// <summary>Distinct marked processes that have a row, and rows of theirs in all.</summary>
    public Task<(int Found, long Rows)> ExecsAsync(CancellationToken stop) => FoundAsync(
        $"SELECT uniqExact(arguments[2]), count() FROM (SELECT splitByChar('\\0', argv) AS arguments FROM process_exec) WHERE startsWith(arguments[2], '{workload.MarkerPrefix}')",
        stop);

    /// <summary>Distinct marked connections that have a row, and rows of theirs in all.</summary>
    public Task<(int Found, long Rows)> ConnectsAsync(int port, CancellationToken stop) => FoundAsync(
        $"SELECT uniqExact(remote_address), count() FROM network_connect WHERE {Connected} AND remote_port = {port} AND pid = {Environment.ProcessId}", stop);

    /// <summary>The newest barrier time that every (class, CPU) has reached, and whether all are balanced there.</summary>
    public async Task<BalanceView> BalanceAsync(DateTime after, CancellationToken stop)
    {
        var micros = (after - DateTime.UnixEpoch).Ticks / 10;
        var answer = await rows.QueryAsync(
            $"""
            SELECT count(), countIf(state = 'balanced'), sum(abs(difference)), toString(groupArrayIf(concat(class, '/', toString(cpu), ' ', state, ' ', toString(difference)), state != 'balanced'))
            FROM ledger_balance WHERE toUnixTimestamp64Micro(barrier_time) >= {micros}
            """,
            stop);
        var row = answer[0];
        return new BalanceView(Number(row[0]), Number(row[1]), Number(row[2]), row[3]);
    }

    private async Task<(int Found, long Rows)> FoundAsync(string query, CancellationToken stop)
    {
        var row = (await rows.QueryAsync(query, stop))[0];
        return ((int)Number(row[0]), Number(row[1]));
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}

/// <param name="Entries">(class, CPU) pairs with a barrier after the workload.</param>
/// <param name="Balanced">How many of them are balanced.</param>
/// <param name="Difference">Sum of |stamped - rows - lost|.</param>
/// <param name="Unsettled">Those that are not balanced, for the report.</param>
internal readonly record struct BalanceView(long Entries, long Balanced, long Difference, string Unsettled)
{
    public bool Settled => Entries > 0 && Balanced == Entries;
}
