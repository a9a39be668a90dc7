using System.Globalization;
using Microsoft.Extensions.Logging;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// Brings the database to this build's schema, additively: makes missing tables, adds missing columns, indices and projections, sets codecs,
/// settings and the retention, makes the views. Never drops or converts; a column of another type ends it before anything is changed in that table. Idempotent. In a
/// database of a newer build it only adds what is missing: its views, codecs, settings and retentions stay. One at a time, under a lease.
/// </summary>
public sealed partial class Migrator(StorageClient client, IMigrationLease lease, string owner, ILogger<Migrator> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits for the lease and migrates.</summary>
    /// <returns>The statements that changed something; empty when all was there.</returns>
    /// <exception cref="SchemaMismatchException">A column has another type.</exception>
    public async Task<IReadOnlyList<string>> RunAsync(CancellationToken cancellation)
    {
        var held = await lease.TryAcquireAsync(owner, cancellation).ConfigureAwait(false);
        while (held is null)
        {
            LogWaiting(logger);
            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            held = await lease.TryAcquireAsync(owner, cancellation).ConfigureAwait(false);
        }

        await using (held.ConfigureAwait(false))
        {
            return await MigrateAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellation)
    {
        await client.CreateDatabaseAsync(cancellation).ConfigureAwait(false);
        await client.ExecuteAsync(VersionTable.CreateStatement, cancellation).ConfigureAwait(false);
        var (version, catalogue) = await RecordedAsync(cancellation).ConfigureAwait(false);
        var newer = version > StorageSchema.Version || catalogue > Catalogue.Version;
        if (newer)
        {
            LogNewer(logger, version, catalogue, StorageSchema.Version, Catalogue.Version);
        }

        var changes = new List<string>();
        var settings = TableDefinition.Settings.Concat(await KnownSavingsAsync(cancellation).ConfigureAwait(false)).ToList();
        foreach (var table in StorageSchema.Tables(client.Options))
        {
            await MigrateTableAsync(table, settings, newer, changes, cancellation).ConfigureAwait(false);
        }

        foreach (var view in newer ? [] : StorageSchema.Views)
        {
            await client.ExecuteAsync(view, cancellation).ConfigureAwait(false);
        }

        if (changes.Count > 0)
        {
            await RecordAsync(changes, cancellation).ConfigureAwait(false);
        }
        else if (!newer && (version < StorageSchema.Version || catalogue < Catalogue.Version))
        {
            // Only views are new: an older build must see that they are not its own.
            await RecordAsync(["views"], cancellation).ConfigureAwait(false);
        }

        LogDone(logger, StorageSchema.Version, Catalogue.Version, changes.Count);
        return changes;
    }

    private async Task<(uint Version, uint Catalogue)> RecordedAsync(CancellationToken cancellation)
    {
        var newest = await client.QueryAsync(
            $"SELECT max(version), toUInt32(max(catalogue)) FROM {VersionTable.Name}",
            static r => (
                Convert.ToUInt32(r.GetValue(0), CultureInfo.InvariantCulture),
                Convert.ToUInt32(r.GetValue(1), CultureInfo.InvariantCulture)),
            cancellation).ConfigureAwait(false);
        return newest[0];
    }

    private async Task<IEnumerable<KeyValuePair<string, string>>> KnownSavingsAsync(CancellationToken cancellation)
    {
        var known = await client.QueryAsync(
            $"SELECT name FROM system.merge_tree_settings WHERE name IN ({string.Join(", ", TableDefinition.Savings.Keys.Select(Sql.Literal))})",
            static r => r.GetString(0),
            cancellation).ConfigureAwait(false);
        return TableDefinition.Savings.Where(s => known.Contains(s.Key));
    }

    private async Task MigrateTableAsync(
        TableDefinition table, List<KeyValuePair<string, string>> settings, bool newer, List<string> changes, CancellationToken cancellation)
    {
        var created = await CreatedAsync(table, cancellation).ConfigureAwait(false);
        if (created is null)
        {
            await ChangeAsync(table.CreateStatement(), changes, cancellation).ConfigureAwait(false);
            // One that is detached is not created: whoever loaded its parts anew (WrittenParts.TryReloadAsync) did not come to the end. It may be of an older schema.
            await client.ExecuteAsync($"ATTACH TABLE IF NOT EXISTS {Sql.Identifier(table.Name)}", cancellation).ConfigureAwait(false);
            created = await CreatedAsync(table, cancellation).ConfigureAwait(false) ?? "";
        }

        await AddMissingColumnsAsync(table, changes, cancellation).ConfigureAwait(false);
        if (!newer)
        {
            await SetCodecsAsync(table, changes, cancellation).ConfigureAwait(false);
            foreach (var index in table.Indices.Where(index => !created.Contains($"INDEX {index}", StringComparison.Ordinal)))
            {
                await ChangeAsync(table.AddIndexStatement(index), changes, cancellation).ConfigureAwait(false);
            }

            foreach (var projection in table.Projections.Where(projection => !created.Contains($"PROJECTION {projection.Name} (", StringComparison.Ordinal)))
            {
                await ChangeAsync(table.AddProjectionStatement(projection), changes, cancellation).ConfigureAwait(false);
            }

            var missing = settings.Where(s => !created.Contains($"{s.Key} = {s.Value}", StringComparison.Ordinal)).ToList();
            if (missing.Count > 0)
            {
                await ChangeAsync(table.ModifySettingsStatement(missing), changes, cancellation).ConfigureAwait(false);
            }
        }

        // A table that keeps its rows has no TTL, and REMOVE TTL is an error where there is none.
        var wanted = table.Ttl.Length == 0
            ? !created.Contains(" TTL ", StringComparison.Ordinal)
            : created.Contains($" TTL {table.Ttl}", StringComparison.Ordinal);
        if (!newer && !wanted)
        {
            await ChangeAsync(table.ModifyTtlStatement(), changes, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The statement that the server would make the table with; null when there is none.</summary>
    private async Task<string?> CreatedAsync(TableDefinition table, CancellationToken cancellation)
    {
        var created = await client.QueryAsync(
            $"SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = {Sql.Literal(table.Name)}",
            static r => r.GetString(0),
            cancellation).ConfigureAwait(false);
        return created.Count == 0 ? null : created[0];
    }

    private async Task AddMissingColumnsAsync(TableDefinition table, List<string> changes, CancellationToken cancellation)
    {
        var described = await client.QueryAsync(
            $"DESCRIBE TABLE {table.Name}", static r => (Name: r.GetString(0), Type: r.GetString(1)), cancellation).ConfigureAwait(false);
        var types = described.ToDictionary(c => c.Name, c => c.Type, StringComparer.Ordinal);
        foreach (var column in table.Columns)
        {
            if (types.TryGetValue(column.Name, out var type) && type != column.Type)
            {
                throw new SchemaMismatchException(table.Name, column.Name, column.Type, type);
            }
        }

        for (var i = 0; i < table.Columns.Count; i++)
        {
            if (!types.ContainsKey(table.Columns[i].Name))
            {
                await ChangeAsync(table.AddColumnStatement(i), changes, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task SetCodecsAsync(TableDefinition table, List<string> changes, CancellationToken cancellation)
    {
        var found = await client.QueryAsync(
            $"SELECT name, compression_codec FROM system.columns WHERE database = currentDatabase() AND table = {Sql.Literal(table.Name)}",
            static r => (Name: r.GetString(0), Codec: r.GetString(1)),
            cancellation).ConfigureAwait(false);
        var codecs = found.ToDictionary(c => c.Name, c => c.Codec, StringComparer.Ordinal);
        var others = table.Columns.Where(c => c.Codec.Length > 0 && codecs[c.Name] != $"CODEC({c.Codec})").ToList();
        if (others.Count > 0)
        {
            await ChangeAsync(table.ModifyCodecsStatement(others), changes, cancellation).ConfigureAwait(false);
        }
    }

    private async Task ChangeAsync(string statement, List<string> changes, CancellationToken cancellation)
    {
        LogChange(logger, statement);
        await client.ExecuteAsync(statement, cancellation).ConfigureAwait(false);
        changes.Add(statement);
    }

    private Task RecordAsync(List<string> changes, CancellationToken cancellation)
    {
        var rows = changes.Select(c =>
            $"({StorageSchema.Version}, {Catalogue.Version}, now64(6), {Sql.Literal(owner)}, {Sql.Literal(c)})");
        return client.ExecuteAsync(
            $"INSERT INTO {VersionTable.Name} (version, catalogue, applied_at, owner, change) SETTINGS async_insert = 0 "
                + $"VALUES {string.Join(", ", rows)}",
            cancellation);
    }

    [LoggerMessage(4001, LogLevel.Information, "Another process migrates the database: waiting for its lease.")]
    private static partial void LogWaiting(ILogger logger);

    [LoggerMessage(4002, LogLevel.Information, "Changing the database: {Statement}")]
    private static partial void LogChange(ILogger logger, string statement);

    [LoggerMessage(4003, LogLevel.Information, "The database has schema {Version}, catalogue {Catalogue}; {Changes} changes were made.")]
    private static partial void LogDone(ILogger logger, int version, ushort catalogue, int changes);

    [LoggerMessage(4004, LogLevel.Warning,
        "The database was made by a newer build (schema {Version}, catalogue {Catalogue}; this build has {OwnVersion}, {OwnCatalogue}): "
            + "its views and retentions stay as they are.")]
    private static partial void LogNewer(ILogger logger, uint version, uint catalogue, int ownVersion, ushort ownCatalogue);
}
