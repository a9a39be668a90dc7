using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// The table of a class, from its declaration: server columns, claim columns, the class's own. Sorted by the name of the row
/// (agent_id, epoch, lane, batch, row): docs/adr/0009 has the measurements.
/// </summary>
public static class ClassTable
{
    // Counters and times grow row by row inside a batch: their differences compress, the values do not.
    private const string Growing = "Delta, ZSTD(1)";

    private static readonly Dictionary<EventClass, TableDefinition> Known = Catalogue.Classes.ToDictionary(c => c, Make);

    /// <summary>The definition without retention, which is an option of the installation.</summary>
    public static TableDefinition For(EventClass eventClass) => Known.TryGetValue(eventClass, out var known) ? known : Make(eventClass);

    private static TableDefinition Make(EventClass eventClass) => new()
    {
        Name = eventClass.Name,
        Columns =
        [
            .. ServerColumns.All.Select((c, i) => new TableColumn(c.Name, c.Type, i == ServerColumns.Row ? Growing : "", c.Description)),
            .. eventClass.Columns.Select(c => new TableColumn(c.Name, ColumnTypes.ClickHouseName(c.Type), Codec(c), c.Description)),
        ],
        PartitionBy = "toYYYYMMDD(received_at)",
        OrderBy = "agent_id, epoch, lane, batch, row",
        Indices = ["time_range time TYPE minmax GRANULARITY 1"],
        Comment = eventClass.Description,
    };

    private static string Codec(Column column) => column.Type switch
    {
        ColumnType.DateTime64Micro => Growing,
        ColumnType.UInt64 when column.Id == ClaimColumns.All[ClaimColumns.Seq].Id => Growing,
        ColumnType.String => "ZSTD(1)",
        _ => "",
    };
}
