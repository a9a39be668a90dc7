using System.Diagnostics.Metrics;

namespace Streams.ClickHouse.Embedded.Hosting;

/// <summary>Counters of this process: received = answered + errors, by kind of error.</summary>
internal sealed class ServerMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _received;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _bodyBytes;
    private readonly Counter<long> _writtenRows;

    public ServerMetrics(IMeterFactory factory)
    {
        _meter = factory.Create("Streams.ClickHouse.Embedded");
        _received = _meter.CreateCounter<long>("streams.clickhouse.received", "{request}", "Requests with a query");
        _errors = _meter.CreateCounter<long>("streams.clickhouse.errors", "{request}", "Requests that ended in an exception, by its code");
        _bodyBytes = _meter.CreateCounter<long>("streams.clickhouse.insert.bytes", "By", "Decoded bytes of rows given to the engine");
        _writtenRows = _meter.CreateCounter<long>("streams.clickhouse.written.rows", "{row}", "Rows written, those of views included");
    }

    public void Received() => _received.Add(1);

    // ClickHouse has about 700 codes, of which a server meets a few dozen: a bounded label.
    public void Failed(int code) => _errors.Add(1, new KeyValuePair<string, object?>("code", code));

    public void BodyBytes(long bytes) => _bodyBytes.Add(bytes);

    public void Written(ulong rows) => _writtenRows.Add((long)rows);

    public void Dispose() => _meter.Dispose();
}
