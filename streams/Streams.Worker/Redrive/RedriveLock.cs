using System.Diagnostics;
using System.Globalization;
using ClickHouse.Driver;
using Streams.Storage;

namespace Streams.Worker.Redrive;

/// <summary>
/// One re-drive at a time in a database. The lock is a table, because a command may reach ClickHouse and nothing else, and CREATE TABLE
/// fails for all but one. A holder that died leaves it: after <see cref="Stale"/>, far beyond what one does under it, it is taken over.
/// </summary>
internal sealed class RedriveLock : IAsyncDisposable
{
    private const string Table = "dead_letter_redrive";
    private const int TableAlreadyExists = 57;

    /// <summary>How long a holder may send anything.</summary>
    private static readonly TimeSpan Term = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    private readonly StorageClient _client;
    private readonly long _taken = Stopwatch.GetTimestamp();

    private RedriveLock(StorageClient client) => _client = client;

    public bool Holds => Stopwatch.GetElapsedTime(_taken) < Term;

    /// <returns>Null while another holds it.</returns>
    public static async Task<RedriveLock?> TryTakeAsync(StorageClient client, string owner, CancellationToken cancel)
    {
        var taken = await TryCreateAsync(client, owner, cancel).ConfigureAwait(false);
        if (taken is not null)
        {
            return taken;
        }

        // The comment says who and since when: metadata_modification_time does not survive a restart of the embedded engine.
        var age = await client.QueryAsync(
            "SELECT toInt64(toUnixTimestamp(now())) - toInt64OrZero(splitByChar(' ', comment)[2]) FROM system.tables "
                + $"WHERE database = currentDatabase() AND name = '{Table}'",
            static r => Convert.ToInt64(r.GetValue(0), CultureInfo.InvariantCulture),
            cancel).ConfigureAwait(false);
        if (age is not [var seconds] || seconds < Stale.TotalSeconds)
        {
            return null;
        }

        await client.QueryAsync("KILL QUERY WHERE query LIKE '/* ingest redrive-%' SYNC", static _ => 0, cancel).ConfigureAwait(false);
        await client.ExecuteAsync($"DROP TABLE IF EXISTS {Table}", cancel).ConfigureAwait(false);
        taken = await TryCreateAsync(client, owner, cancel).ConfigureAwait(false);
        // Two who found it stale may both have dropped it: the last one's stands.
        await Task.Delay(Settling, cancel).ConfigureAwait(false);
        var holder = await client.QueryAsync(
            $"SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = '{Table}'",
            static r => r.GetString(0),
            cancel).ConfigureAwait(false);
        return holder is [var name] && name.StartsWith(owner + " ", StringComparison.Ordinal) ? taken : null;
    }

    public async ValueTask DisposeAsync()
    {
        if (Holds)
        {
            await _client.ExecuteAsync($"DROP TABLE IF EXISTS {Table}").ConfigureAwait(false);
        }
    }

    private static async Task<RedriveLock?> TryCreateAsync(StorageClient client, string owner, CancellationToken cancel)
    {
        var taken = new RedriveLock(client);
        var now = await client.QueryAsync(
            "SELECT toString(toUnixTimestamp(now()))", static r => r.GetString(0), cancel).ConfigureAwait(false);
        try
        {
            await client.ExecuteAsync(
                $"CREATE TABLE {Table} (owner String) ENGINE = Null COMMENT '{owner} {now[0]}'", cancel).ConfigureAwait(false);
            return taken;
        }
        catch (ClickHouseServerException exists) when (exists.ErrorCode == TableAlreadyExists)
        {
            return null;
        }
    }
}
