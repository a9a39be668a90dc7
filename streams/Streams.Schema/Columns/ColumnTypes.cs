namespace Streams.Schema;

/// <summary>What every part must know about a column type: its width and its name in ClickHouse.</summary>
public static class ColumnTypes
{
    /// <summary>Every defined type, in the order of its number.</summary>
    public static IReadOnlyList<ColumnType> All { get; } = Enum.GetValues<ColumnType>();

    /// <summary>Bytes per row of a fixed type; 0 for String and Dictionary, whose rows vary.</summary>
    public static int Width(ColumnType type) => type switch
    {
        ColumnType.UInt8 or ColumnType.Int8 or ColumnType.Bool => 1,
        ColumnType.UInt16 or ColumnType.Int16 => 2,
        ColumnType.UInt32 or ColumnType.Int32 or ColumnType.IPv4 => 4,
        ColumnType.UInt64 or ColumnType.Int64 or ColumnType.Float64 or ColumnType.DateTime64Micro => 8,
        ColumnType.IPv6 => 16,
        _ => 0,
    };

    /// <summary>True when the number is one that this build knows.</summary>
    public static bool IsKnown(ColumnType type) => type is >= ColumnType.UInt8 and <= ColumnType.Bool;

    /// <summary>The type as ClickHouse's DESCRIBE prints it. Times carry UTC so that no server time zone changes what a query shows.</summary>
    public static string ClickHouseName(ColumnType type) => type switch
    {
        ColumnType.DateTime64Micro => "DateTime64(6, 'UTC')",
        ColumnType.Dictionary => "LowCardinality(String)",
        _ => type.ToString(),
    };
}
