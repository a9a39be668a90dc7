using System.Globalization;
using System.Text;

namespace Streams.Storage;

/// <summary>A table that this build writes to: its columns in order and how it is stored.</summary>
public sealed class TableDefinition
{
    /// <summary>
    /// Rows that free data on a host must survive a power cut: the part and its directory are synced with the insert, and a merge,
    /// which deletes synced parts, syncs its result. What a merge has replaced stays for eight minutes (libchdb's default is none): on a disk that fills while it writes
    /// the engine (26.5) commits a merged part of empty files and reports nothing; when the table is loaded anew (<see cref="WrittenParts"/>) that part is set aside and its sources are there
    /// (docs/adr/0018), however many there are: the engine's own limits would leave the table unattached. The window of deduplication is cache, not truth (two log records per part).
    /// </summary>
    public static IReadOnlyDictionary<string, string> Settings { get; } = new Dictionary<string, string>
    {
        ["fsync_after_insert"] = "1",
        ["fsync_part_directory"] = "1",
        ["min_rows_to_fsync_after_merge"] = "1",
        ["old_parts_lifetime"] = "480",
        ["max_suspicious_broken_parts"] = "1000000",
        ["max_suspicious_broken_parts_bytes"] = "1000000000000000",
        ["non_replicated_deduplication_window"] = "100000",
        ["replicated_deduplication_window"] = "100000",
        ["replicated_deduplication_window_seconds"] = "604800",
        ["ttl_only_drop_parts"] = "1",
    };

    /// <summary>
    /// Settings that change no row, given to a server that knows them. Statistics of columns (26.x makes minmax and uniq of all of them by itself) cost a merge as
    /// much as all the rest of it and a byte a row on disk; what they are for, the order of joins and of conditions, our queries do not need (docs/adr/0034). A table
    /// with projections would refuse DELETE, by which people have rows removed that they may not keep.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Savings { get; } = new Dictionary<string, string>
    {
        ["auto_statistics_types"] = "''",
        ["lightweight_mutation_projection_mode"] = "'rebuild'",
    };

    public required string Name { get; init; }

    public required IReadOnlyList<TableColumn> Columns { get; init; }

    /// <summary>Of the MergeTree family.</summary>
    public string Engine { get; init; } = "MergeTree";

    /// <summary>Expression of PARTITION BY.</summary>
    public required string PartitionBy { get; init; }

    /// <summary>Columns of ORDER BY.</summary>
    public required string OrderBy { get; init; }

    /// <summary>Data-skipping indices: name, expression, type.</summary>
    public IReadOnlyList<string> Indices { get; init; } = [];

    /// <summary>What each part keeps beside its rows for queries that ask the like.</summary>
    public IReadOnlyList<TableProjection> Projections { get; init; } = [];

    /// <summary>Rows are dropped this many days after received_at; 0 keeps them.</summary>
    public int RetentionDays { get; init; }

    /// <summary>What the table holds.</summary>
    public string Comment { get; init; } = "";

    /// <summary>The same table with another retention.</summary>
    public TableDefinition WithRetention(int days) => new()
    {
        Name = Name,
        Columns = Columns,
        Engine = Engine,
        PartitionBy = PartitionBy,
        OrderBy = OrderBy,
        Indices = Indices,
        Projections = Projections,
        RetentionDays = days,
        Comment = Comment,
    };

    /// <summary>The TTL expression; empty without.</summary>
    public string Ttl => RetentionDays == 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"toDateTime(received_at) + toIntervalDay({RetentionDays})");

    public string CreateStatement()
    {
        var sql = new StringBuilder($"CREATE TABLE IF NOT EXISTS {Name}\n(\n");
        sql.AppendJoin(",\n", Columns.Select(ColumnSql).Concat(Indices.Select(i => $"INDEX {i}")).Concat(Projections.Select(p => p.ToString())).Select(line => "    " + line));
        sql.Append($"\n)\nENGINE = {Engine}\nPARTITION BY {PartitionBy}\nORDER BY ({OrderBy})\n");
        if (Ttl.Length > 0)
        {
            sql.Append($"TTL {Ttl}\n");
        }

        sql.Append("SETTINGS ").AppendJoin(", ", Settings.Select(s => $"{s.Key} = {s.Value}"));
        return sql.Append($"\nCOMMENT {Sql.Literal(Comment)}").ToString();
    }

    /// <summary>The statement that adds a column behind its predecessor: additive, with the default of its type.</summary>
    public string AddColumnStatement(int ordinal) =>
        $"ALTER TABLE {Name} ADD COLUMN IF NOT EXISTS {ColumnSql(Columns[ordinal])}"
        + (ordinal == 0 ? " FIRST" : $" AFTER {Columns[ordinal - 1].Name}");

    /// <summary>The statement that adds a data-skipping index: parts that are there get it when they are merged.</summary>
    public string AddIndexStatement(string index) => $"ALTER TABLE {Name} ADD INDEX IF NOT EXISTS {index}";

    /// <summary>The statement that adds a projection: parts that are there are read without it until they are gone.</summary>
    public string AddProjectionStatement(TableProjection projection) => $"ALTER TABLE {Name} ADD PROJECTION IF NOT EXISTS {projection.Name} ({projection.Query})";

    public string ModifyTtlStatement() =>
        Ttl.Length == 0 ? $"ALTER TABLE {Name} REMOVE TTL" : $"ALTER TABLE {Name} MODIFY TTL {Ttl}";

    public string ModifySettingsStatement(IEnumerable<KeyValuePair<string, string>> settings) =>
        $"ALTER TABLE {Name} MODIFY SETTING " + string.Join(", ", settings.Select(static s => $"{s.Key} = {s.Value}"));

    /// <summary>The statement that gives columns their codecs: parts that are there keep theirs until they are merged.</summary>
    public string ModifyCodecsStatement(IEnumerable<TableColumn> columns) =>
        $"ALTER TABLE {Name} " + string.Join(", ", columns.Select(static c => $"MODIFY COLUMN {c.Name} CODEC({c.Codec})"));

    private static string ColumnSql(TableColumn column) =>
        $"{column.Name} {column.Type}"
        + (column.Comment.Length > 0 ? $" COMMENT {Sql.Literal(column.Comment)}" : "")
        + (column.Codec.Length > 0 ? $" CODEC({column.Codec})" : "");
}
