using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// Takes what a <see cref="SensorReader"/> reads. Per (class, cpu) the calls come in the order of the numbers and leave
/// none out: first 1, then always the last one's plus one, as a record or in a lost range. So a ledger entry for a batch
/// is {first number, last number, rows, lost by cause} with rows + lost = last - first + 1 at whatever call it is closed.
/// </summary>
/// <remarks>Implement it in a struct to have the calls inlined. Calls must not keep the span: it is the ring's own memory.</remarks>
public interface IRecordSink
{
    /// <summary>A record: header, and the whole of it including the header.</summary>
    void OnRecord(in RecordHeader header, ReadOnlySpan<byte> record);

    /// <summary>Numbers that were stamped and will never arrive.</summary>
    void OnLost(in LostRange lost);
}
