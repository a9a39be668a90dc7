using System.Globalization;
using ClickHouse.Driver;

namespace Streams.Storage;

/// <summary>
/// Proves, on a table of its own, what the commit relies on: settings are taken, a repeated token adds no row, another token does,
/// every insert is one part on its day. A server that fails is refused with the reason; nothing is assumed from its version.
/// </summary>
public sealed class ServerProbe(StorageClient client)
{
    private const string Prefix = "streams_probe_";

    /// <summary>Runs the probe and refuses a server that fails it.</summary>
    /// <exception cref="UnfitServerException">With the first thing it lacks.</exception>
    public async Task DemandAsync(CancellationToken cancellation)
    {
        var faults = await RunAsync(cancellation).ConfigureAwait(false);
        if (faults.Count != 0)
        {
            throw new UnfitServerException(client.Options.Url, faults[0]);
        }
    }

    /// <returns>What the server lacks; empty when it may be used.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(CancellationToken cancellation)
    {
        await DropLeftAsync(cancellation).ConfigureAwait(false);
        var name = Prefix + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
        var table = new TableDefinition
        {
            Name = name,
            Columns = [new TableColumn("received_at", "DateTime64(6, 'UTC')", "", ""), new TableColumn("n", "UInt64", "", "")],
            PartitionBy = "toYYYYMMDD(received_at)",
            OrderBy = "n",
        };
        try
        {
            await client.ExecuteAsync(table.CreateStatement(), cancellation).ConfigureAwait(false);
            var faults = new List<string>();
            await CheckSettingsAsync(name, faults, cancellation).ConfigureAwait(false);
            await CheckTokensAsync(name, faults, cancellation).ConfigureAwait(false);
            await CheckDisksAsync(faults, cancellation).ConfigureAwait(false);
            return faults;
        }
        finally
        {
            // Not SYNC: the embedded engine's pooled connections keep a table referenced until their next query, and SYNC waits for that.
            await client.ExecuteAsync($"DROP TABLE IF EXISTS {name}", CancellationToken.None).ConfigureAwait(false);
        }
    }

    // A process killed between its probe's CREATE and DROP leaves the table. An hour old, no probe is using it.
    private async Task DropLeftAsync(CancellationToken cancellation)
    {
        var left = await client.QueryAsync(
            $"SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '{Prefix}') "
                + "AND metadata_modification_time < now() - INTERVAL 1 HOUR",
            static r => r.GetString(0),
            cancellation).ConfigureAwait(false);
        foreach (var name in left)
        {
            await client.ExecuteAsync($"DROP TABLE IF EXISTS {Sql.Identifier(name)}", cancellation).ConfigureAwait(false);
        }
    }

    private async Task CheckSettingsAsync(string name, List<string> faults, CancellationToken cancellation)
    {
        var engine = await client.QueryAsync(
            $"SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = '{name}'",
            static r => r.GetString(0),
            cancellation).ConfigureAwait(false);
        faults.AddRange(TableDefinition.Settings
            .Where(s => engine.Count == 0 || !engine[0].Contains($"{s.Key} = {s.Value}", StringComparison.Ordinal))
            .Select(s => $"the server does not keep the table setting {s.Key} = {s.Value}"));
    }

    private async Task CheckTokensAsync(string name, List<string> faults, CancellationToken cancellation)
    {
        using var metrics = new StorageMetrics();
        using var buffer = new SegmentedBuffer();
        var inserter = new TableInserter(client, metrics);
        var block = new ProbeBlock(name);
        string[] tokens = ["a", "a", "b"];
        for (var i = 0; i < tokens.Length; i++)
        {
            var result = await inserter.InsertAsync(
                block, buffer, name + tokens[i], new InsertLabel("probe", i), repeated: false, cancellation).ConfigureAwait(false);
            if (result.Outcome != InsertOutcome.Ok && !(i == 1 && result.WrittenRows == 0))
            {
                faults.Add($"the server does not take our inserts: {result.Message}");
                return;
            }
        }

        var rows = await client.QueryAsync(
            $"SELECT count() FROM {name}",
            static r => Convert.ToInt64(r.GetValue(0), CultureInfo.InvariantCulture),
            cancellation).ConfigureAwait(false);
        if (rows[0] != 2)
        {
            faults.Add($"inserts with the tokens a, a, b left {rows[0]} rows instead of 2: deduplication by token does not work");
        }
    }

    // Without it every insert would be read back.
    private async Task CheckDisksAsync(List<string> faults, CancellationToken cancellation)
    {
        try
        {
            await client.QueryAsync("SELECT min(free_space) FROM system.disks", static _ => 0, cancellation).ConfigureAwait(false);
        }
        catch (ClickHouseServerException refused)
        {
            faults.Add($"the user {client.Options.User} may not read system.disks: {refused.Message.Split('\n')[0]}");
        }
    }

    /// <summary>One row.</summary>
    private sealed class ProbeBlock(string name) : NativeBlock(new TableDefinition
    {
        Name = name,
        Columns = [new TableColumn("received_at", "DateTime64(6, 'UTC')", "", ""), new TableColumn("n", "UInt64", "", "")],
        PartitionBy = "",
        OrderBy = "",
    })
    {
        public override int Rows => 1;

        protected override void EncodeColumn(int ordinal, SegmentedBuffer buffer) => buffer.WriteUInt64(1);
    }
}
