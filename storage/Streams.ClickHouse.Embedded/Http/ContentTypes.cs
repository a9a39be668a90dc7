namespace Streams.ClickHouse.Embedded.Http;

/// <summary>What ClickHouse says of its own formats.</summary>
internal static class ContentTypes
{
    public static string Of(string format) => format switch
    {
        "JSON" or "JSONCompact" or "JSONStrings" or "JSONCompactStrings" or "JSONColumns" or "JSONCompactColumns" or "JSONColumnsWithMetadata"
            or "JSONObjectEachRow" or "PrettyJSON" => "application/json; charset=UTF-8",
        "XML" => "application/xml; charset=UTF-8",
        "CSVWithNames" or "CSVWithNamesAndTypes" => "text/csv; charset=UTF-8; header=present",
        "CSV" => "text/csv; charset=UTF-8; header=absent",
        "Native" or "Parquet" or "Arrow" or "ArrowStream" or "ORC" or "Avro" or "MsgPack" or "BSONEachRow" => "application/octet-stream",
        _ when format.StartsWith("TabSeparated", StringComparison.Ordinal) || format.StartsWith("TSV", StringComparison.Ordinal)
            => "text/tab-separated-values; charset=UTF-8",
        _ when format.StartsWith("JSON", StringComparison.Ordinal) => "application/x-ndjson; charset=UTF-8",
        _ when format.StartsWith("RowBinary", StringComparison.Ordinal) => "application/octet-stream",
        _ => "text/plain; charset=UTF-8",
    };
}
