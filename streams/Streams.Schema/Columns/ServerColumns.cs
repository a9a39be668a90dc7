namespace Streams.Schema;

/// <summary>
/// The columns that the worker writes in front of every row, the same for all rows of a batch but for <c>row</c> and
/// <c>server_flags</c>.
/// </summary>
public static class ServerColumns
{
    public const int AgentId = 0;
    public const int Host = 1;
    public const int ReceivedAt = 2;
    public const int Epoch = 3;
    public const int Lane = 4;
    public const int Batch = 5;
    public const int Row = 6;
    public const int SensorEpoch = 7;
    public const int ServerFlags = 8;

    /// <summary>Bit of <c>server_flags</c>: <c>time</c> is more than a day from <c>received_at</c>.</summary>
    public const uint ClockSuspect = 1;

    /// <summary>Bit of <c>server_flags</c>: the batch carried columns that the worker did not know and did not store.</summary>
    public const uint ColumnsIgnored = 2;

    /// <summary>Name, type in ClickHouse and meaning, in the order of every table.</summary>
    public static IReadOnlyList<(string Name, string Type, string Description)> All { get; } =
    [
        ("agent_id", "LowCardinality(String)", "the authenticated agent"),
        ("host", "LowCardinality(String)", "host name of the session"),
        ("received_at", "DateTime64(6, 'UTC')", "when the gateway accepted the batch"),
        ("epoch", "UInt64", "first 8 bytes of the epoch in the batch's name"),
        ("lane", "UInt32", "lane in the batch's name"),
        ("batch", "UInt32", "number in the batch's name"),
        ("row", "UInt32", "row in the batch, from 0"),
        ("sensor_epoch", "UInt64", "first 8 bytes of the sensor instance that seq belongs to"),
        ("server_flags", "UInt32", "bit 0: clock_suspect, time is more than a day from received_at; bit 1: columns_ignored, the worker did not know all columns"),
    ];
}
