using System.Globalization;
using System.Text;
using ClickHouse.Driver;

namespace Streams.Storage;

/// <summary>
/// Reads the parts that inserts and merges have made, and has those that cannot be read set aside: what a merge made gives way to its sources (docs/adr/0018). Only tables of this build.
/// Methods throw <see cref="ClickHouseServerException"/> when the engine refuses and <see cref="TimeoutException"/> when it does not answer.
/// </summary>
public sealed class WrittenParts(StorageClient client)
{
    /// <summary>Parts of one answer of <see cref="ListAsync"/>, newest first; also the bound of what a caller remembers.</summary>
    public const int MaxParts = 1000;

    // A condition is some 100 bytes; far within max_query_size (256 KiB).
    private const int PartsPerQuery = 100;

    // src/Common/ErrorCodes.cpp: what a read says of files that are empty, cut, missing or not what was written. Others (memory, time, a table that is just away) say nothing of the part.
    private static readonly HashSet<int> Damage =
    [
        32, // ATTEMPT_TO_READ_AFTER_EOF
        33, // CANNOT_READ_ALL_DATA
        40, // CHECKSUM_DOESNT_MATCH
        107, // FILE_DOESNT_EXIST
        226, // NO_FILE_IN_DATA_PART
        228, // BAD_SIZE_OF_FILE_IN_DATA_PART
        246, // CORRUPTED_DATA
        271, // CANNOT_DECOMPRESS
        432, // UNKNOWN_CODEC
    ];

    private static readonly TimeSpan AttachPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan AttachPause = TimeSpan.FromMilliseconds(100);

    private readonly string _tables = string.Join(", ", StorageSchema.Tables(client.Options).Select(static table => Sql.Literal(table.Name)));

    /// <summary>Active parts of the last <paramref name="span"/>, and those of inserts whenever they were: they have no sources that are kept for a time.</summary>
    public Task<List<WrittenPart>> ListAsync(TimeSpan span, CancellationToken cancellation = default) => client.QueryAsync(
        $"""
        SELECT table, name, partition_id, min_block_number, max_block_number, rows, level = 0 AND data_version <= min_block_number AS inserted FROM system.parts
        WHERE database = currentDatabase() AND active AND rows > 0 AND table IN ({_tables}) AND (modification_time >= now() - {(long)span.TotalSeconds} OR inserted)
        ORDER BY modification_time DESC LIMIT {MaxParts}
        """,
        static r => new WrittenPart(r.GetString(0), r.GetString(1), r.GetString(2), Number(r.GetValue(3)), Number(r.GetValue(4)), Number(r.GetValue(5)), Number(r.GetValue(6)) != 0),
        cancellation);

    /// <summary>
    /// Reads the last rows of every column of each part, and says of which that failed. A part that another merge has replaced meanwhile is none of them.
    /// One query for as many as 100 parts of a table: it reads a granule of each.
    /// </summary>
    public async Task<List<UnreadablePart>> FindUnreadableAsync(IEnumerable<WrittenPart> parts, CancellationToken cancellation = default)
    {
        var found = new List<UnreadablePart>();
        foreach (var table in parts.GroupBy(static part => part.Table))
        {
            foreach (var chunk in table.Chunk(PartsPerQuery))
            {
                await ReadAsync(chunk, found, cancellation).ConfigureAwait(false);
            }
        }

        return found;
    }

    /// <summary>
    /// Has the engine load a table's parts anew, as at its start: one that is broken is set aside (<c>system.detached_parts</c>), and what it had replaced takes its place.
    /// The table is missing meanwhile, which is until the last statement that uses it has ended: the engine attaches it no sooner, so a part that an insert adds to the old one
    /// is loaded with the new one.
    /// </summary>
    /// <returns>Why it was not done, or not to the end: then the table may still be missing, until <see cref="AttachMissingAsync"/>. Null when it was.</returns>
    public async Task<string?> TryReloadAsync(string table, CancellationToken cancellation = default)
    {
        // `default` of libchdb is an overlay of two databases, which would attach a table that an insert still writes to.
        var engine = await client.QueryAsync("SELECT engine FROM system.databases WHERE name = currentDatabase()", static r => r.GetString(0), cancellation).ConfigureAwait(false);
        if (engine is not ["Atomic"])
        {
            return $"the database is of engine {engine.FirstOrDefault()}, only Atomic waits for the statements that use a table";
        }

        string? unsure = null;
        try
        {
            await client.ExecuteAsync($"DETACH TABLE {Sql.Identifier(table)}", CancellationToken.None).ConfigureAwait(false);
        }
        catch (ClickHouseServerException refused)
        {
            return FirstLine(refused);
        }
        catch (Exception lost) when (lost is HttpRequestException or IOException or TimeoutException)
        {
            unsure = $"whether it was is not known: {FirstLine(lost)}";
        }

        for (var until = Environment.TickCount64 + (long)AttachPatience.TotalMilliseconds; ;)
        {
            try
            {
                await client.ExecuteAsync($"ATTACH TABLE IF NOT EXISTS {Sql.Identifier(table)}", CancellationToken.None).ConfigureAwait(false);
                return unsure;
            }
            catch (Exception failure) when (failure is ClickHouseServerException or HttpRequestException or IOException or TimeoutException)
            {
                if (Environment.TickCount64 > until || cancellation.IsCancellationRequested)
                {
                    return FirstLine(failure);
                }
            }

            await Task.Delay(AttachPause, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>What has become of a part whose table was loaded anew.</summary>
    public async Task<PartFate> FateAsync(WrittenPart part, CancellationToken cancellation = default)
    {
        var tables = await client.QueryAsync(
            $"SELECT name FROM system.tables WHERE database = currentDatabase() AND name = {Sql.Literal(part.Table)}", static r => r.GetString(0), cancellation).ConfigureAwait(false);
        if (tables.Count == 0)
        {
            return new PartFate(IsThere: false, IsActive: false, 0);
        }

        var others = await client.QueryAsync(
            $"""
            SELECT name, min_block_number, max_block_number, rows FROM system.parts
            WHERE database = currentDatabase() AND active AND table = {Sql.Literal(part.Table)} AND partition_id = {Sql.Literal(part.PartitionId)}
                AND max_block_number >= {part.FirstBlock} AND min_block_number <= {part.LastBlock}
            """,
            static r => (Name: r.GetString(0), First: Number(r.GetValue(1)), Last: Number(r.GetValue(2)), Rows: Number(r.GetValue(3))),
            cancellation).ConfigureAwait(false);
        // One that goes beyond it is a merge of its sources with others.
        var rows = others.Any(other => other.First < part.FirstBlock || other.Last > part.LastBlock) ? part.Rows : others.Sum(static other => other.Rows);
        return new PartFate(IsThere: true, others.Any(other => other.Name == part.Name), Math.Min(rows, part.Rows));
    }

    /// <summary>Attaches tables whose reload was broken off, by whomever.</summary>
    /// <returns>Their names.</returns>
    public async Task<List<string>> AttachMissingAsync(CancellationToken cancellation = default)
    {
        var missing = await client.QueryAsync(
            $"SELECT arrayJoin([{_tables}]) AS name WHERE name NOT IN (SELECT name FROM system.tables WHERE database = currentDatabase())",
            static r => r.GetString(0),
            cancellation).ConfigureAwait(false);
        foreach (var table in missing)
        {
            await client.ExecuteAsync($"ATTACH TABLE IF NOT EXISTS {Sql.Identifier(table)}", cancellation).ConfigureAwait(false);
        }

        return missing;
    }

    private async Task ReadAsync(ArraySegment<WrittenPart> parts, List<UnreadablePart> found, CancellationToken cancellation)
    {
        var sql = new StringBuilder($"SELECT * FROM {Sql.Identifier(parts[0].Table)} WHERE ");
        sql.AppendJoin(" OR ", parts.Select(static part => $"(_part = {Sql.Literal(part.Name)} AND _part_offset = {part.Rows - 1})"));
        try
        {
            await client.ExecuteAsync(sql.Append(" FORMAT Null").ToString(), cancellation).ConfigureAwait(false);
        }
        catch (ClickHouseServerException damage) when (Damage.Contains(damage.ErrorCode) && parts.Count == 1)
        {
            found.Add(new UnreadablePart(parts[0], FirstLine(damage)));
        }
        catch (ClickHouseServerException damage) when (Damage.Contains(damage.ErrorCode))
        {
            var half = parts.Count / 2;
            await ReadAsync(parts[..half], found, cancellation).ConfigureAwait(false);
            await ReadAsync(parts[half..], found, cancellation).ConfigureAwait(false);
        }
    }

    private static string FirstLine(Exception failure) => failure.Message.Split('\n')[0];

    private static long Number(object value) => Convert.ToInt64(value, CultureInfo.InvariantCulture);
}
