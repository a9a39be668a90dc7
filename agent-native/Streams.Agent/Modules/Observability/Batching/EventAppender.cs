using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>What the reader calls: a struct, so that the calls are inlined into its loop.</summary>
internal readonly struct EventAppender(EventBatches batches) : IRecordSink
{
    public void OnRecord(in RecordHeader header, ReadOnlySpan<byte> record) => batches.Append(in header, record);

    public void OnLost(in LostRange lost) => batches.AddLost(in lost);
}
