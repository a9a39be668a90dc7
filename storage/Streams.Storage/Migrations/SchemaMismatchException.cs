namespace Streams.Storage;

/// <summary>A table has a column of another type than this build writes. Nothing was changed; somebody must look.</summary>
public sealed class SchemaMismatchException(string table, string column, string expected, string found)
    : Exception($"column {column} of table {table} is {found}, this build writes {expected}")
{
    public string Table { get; } = table;

    public string Column { get; } = column;

    public string Expected { get; } = expected;

    public string Found { get; } = found;
}
