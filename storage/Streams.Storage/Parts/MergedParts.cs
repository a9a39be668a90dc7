using System.Globalization;
using System.Text;
using ClickHouse.Driver;

namespace Streams.Storage;

/// <summary>
/// Reads what merges have made, and gives a table its sources back where that cannot be read (docs/adr/0018). Only tables of this build.
/// Methods throw <see cref="ClickHouseServerException"/> when the engine refuses and <see cref="TimeoutException"/> when it does not answer.
/// </summary>
public sealed class MergedParts(StorageClient client)
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

    private readonly string _tables = string.Join(", ", StorageSchema.Tables(client.Options).Select(static table => Sql.Literal(table.Name)));

    /// <summary>Active parts that merges made in the last <paramref name="span"/>.</summary>
    public Task<List<MergedPart>> ListAsync(TimeSpan span, CancellationToken cancellation = default) => client.QueryAsync(
        $"""
        SELECT table, name, partition_id, min_block_number, max_block_number, rows FROM system.parts
        WHERE database = currentDatabase() AND active AND level > 0 AND rows > 0 AND table IN ({_tables}) AND modification_time >= now() - {(long)span.TotalSeconds}
        ORDER BY modification_time DESC LIMIT {MaxParts}
        """,
        static r => new MergedPart(r.GetString(0), r.GetString(1), r.GetString(2), Number(r.GetValue(3)), Number(r.GetValue(4)), Number(r.GetValue(5))),
        cancellation);

    /// <summary>
    /// Reads the last rows of every column of each part, and says of which that failed. A part that another merge has replaced meanwhile is none of them.
    /// One query for as many as 100 parts of a table: it reads a granule of each.
    /// </summary>
    public async Task<List<UnreadablePart>> FindUnreadableAsync(IEnumerable<MergedPart> parts, CancellationToken cancellation = default)
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

    /// <summary>Rows of the sources of a part that the engine has kept (<c>old_parts_lifetime</c>); as many as the part has when none is gone.</summary>
    public async Task<long> CountSourceRowsAsync(MergedPart part, CancellationToken cancellation = default)
    {
        // Generations overlap: of each, the newest that is not the part itself.
        var sources = await client.QueryAsync(
            $"""
            SELECT min_block_number, max_block_number, max(rows) FROM system.parts
            WHERE database = currentDatabase() AND table = {Sql.Literal(part.Table)} AND partition_id = {Sql.Literal(part.PartitionId)}
                AND name != {Sql.Literal(part.Name)} AND min_block_number >= {part.FirstBlock} AND max_block_number <= {part.LastBlock}
            GROUP BY min_block_number, max_block_number
            ORDER BY min_block_number ASC, max_block_number DESC
            """,
            static r => (First: Number(r.GetValue(0)), Last: Number(r.GetValue(1)), Rows: Number(r.GetValue(2))),
            cancellation).ConfigureAwait(false);
        long rows = 0;
        long reached = -1;
        foreach (var source in sources.Where(source => source.First > reached))
        {
            rows += source.Rows;
            reached = source.Last;
        }

        return rows;
    }

    /// <summary>
    /// Has the engine load a table's parts anew, as at its start: one that is broken is set aside (<c>system.detached_parts</c>), and what it had replaced takes its place.
    /// Until it returns the table is missing. After an exception it may still be: <see cref="AttachMissingAsync"/>.
    /// </summary>
    public async Task ReloadAsync(string table, CancellationToken cancellation = default)
    {
        // Waits for what reads and writes: a part that an insert adds to the old one is loaded with the new one.
        await client.ExecuteAsync($"DETACH TABLE {Sql.Identifier(table)} SYNC", cancellation).ConfigureAwait(false);
        await client.ExecuteAsync($"ATTACH TABLE IF NOT EXISTS {Sql.Identifier(table)}", cancellation).ConfigureAwait(false);
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

    private async Task ReadAsync(ArraySegment<MergedPart> parts, List<UnreadablePart> found, CancellationToken cancellation)
    {
        var sql = new StringBuilder($"SELECT * FROM {Sql.Identifier(parts[0].Table)} WHERE ");
        sql.AppendJoin(" OR ", parts.Select(static part => $"(_part = {Sql.Literal(part.Name)} AND _part_offset = {part.Rows - 1})"));
        try
        {
            await client.ExecuteAsync(sql.Append(" FORMAT Null").ToString(), cancellation).ConfigureAwait(false);
        }
        catch (ClickHouseServerException damage) when (Damage.Contains(damage.ErrorCode) && parts.Count == 1)
        {
            found.Add(new UnreadablePart(parts[0], damage.Message.Split('\n')[0]));
        }
        catch (ClickHouseServerException damage) when (Damage.Contains(damage.ErrorCode))
        {
            var half = parts.Count / 2;
            await ReadAsync(parts[..half], found, cancellation).ConfigureAwait(false);
            await ReadAsync(parts[half..], found, cancellation).ConfigureAwait(false);
        }
    }

    private static long Number(object value) => Convert.ToInt64(value, CultureInfo.InvariantCulture);
}
