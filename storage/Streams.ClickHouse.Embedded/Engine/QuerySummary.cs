using System.Globalization;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>What ClickHouse reports in X-ClickHouse-Summary; rows written include those of materialized views, as there.</summary>
internal readonly record struct QuerySummary(
    ulong ReadRows, ulong ReadBytes, ulong WrittenRows, ulong WrittenBytes, ulong ResultRows, ulong ResultBytes, TimeSpan Elapsed)
{
    /// <summary>ClickHouse writes every number as a string, because JavaScript's numbers end at 2^53.</summary>
    public string ToJson() => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"read_rows":"{{ReadRows}}","read_bytes":"{{ReadBytes}}","written_rows":"{{WrittenRows}}","written_bytes":"{{WrittenBytes}}","total_rows_to_read":"0","result_rows":"{{ResultRows}}","result_bytes":"{{ResultBytes}}","elapsed_ns":"{{(long)Elapsed.TotalNanoseconds}}"}""");
}
