using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// The table of a class, from its declaration: server columns, claim columns, the class's own. Sorted by the name of the row
/// (agent_id, epoch, lane, batch, row): docs/adr/0009 has the measurements.
/// </summary>
public static class ClassTable
{
    // Counters and times grow row by row inside a batch: their differences compress, the values do not. Spelt as the server prints it.
    private const string Growing = "Delta(8), ZSTD(1)";
    private const string GrowingRow = "Delta(4), ZSTD(1)";

    // Most numbers use few of their bits: T64 keeps only those of a block.
    private const string Narrow = "T64, LZ4";

    private static readonly Dictionary<EventClass, TableDefinition> Known = Catalogue.Classes.ToDictionary(c => c, Make);

    /// <summary>The definition without retention, which is an option of the installation.</summary>
    public static TableDefinition For(EventClass eventClass) => Known.TryGetValue(eventClass, out var known) ? known : Make(eventClass);

    private static TableDefinition Make(EventClass eventClass) => new()
    {
        Name = eventClass.Name,
        Columns =
        [
            .. ServerColumns.All.Select((c, i) => new TableColumn(c.Name, c.Type, ServerCodec(i), c.Description)),
            .. eventClass.Columns.Select(c => new TableColumn(c.Name, ColumnTypes.ClickHouseName(c.Type), Codec(c), c.Description)),
        ],
        PartitionBy = "toYYYYMMDD(received_at)",
        OrderBy = "agent_id, epoch, lane, batch, row",
        Indices = ["time_range time TYPE minmax GRANULARITY 1", "received_range received_at TYPE minmax GRANULARITY 1"],
        Projections = ClassProjections.Of(eventClass),
        Comment = eventClass.Description,
    };

    private static string ServerCodec(int ordinal) => ordinal switch
    {
        ServerColumns.Row => GrowingRow,
        ServerColumns.AgentId or ServerColumns.Host => "",
        _ => Narrow,
    };

    private static string Codec(Column column) => column.Type switch
    {
        ColumnType.DateTime64Micro => Growing,
        ColumnType.UInt64 when column.Id == ClaimColumns.All[ClaimColumns.Seq].Id => Growing,
        ColumnType.String => "ZSTD(1)",
        ColumnType.UInt16 or ColumnType.UInt32 or ColumnType.UInt64 or ColumnType.Int16 or ColumnType.Int32 or ColumnType.Int64 => Narrow,
        _ => "",
    };
}
