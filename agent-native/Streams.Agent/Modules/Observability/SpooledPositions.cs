using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability;

/// <summary>What a killed agent had put into the spool without getting to note it: at most its last batch.</summary>
internal static class SpooledPositions
{
    /// <summary>Moves the positions of a sensor instance on to what is in the spool. Before anything is read from its ring.</summary>
    public static void Merge(IBatchSink sink, Epoch sensorEpoch, PositionTable positions)
    {
        sink.VisitSpooled((Epoch epoch, ushort classId, in LedgerEntry entry, ReadOnlySpan<LossCount> losses) =>
        {
            if (epoch != sensorEpoch || classId >= RecordClass.Slots)
                return;
            LostCounters counted = default;
            foreach (var loss in losses)
            {
                switch (loss.Cause)
                {
                    case LossCause.RingFull: counted.RingFull += loss.Count; break;
                    case LossCause.RateLimited: counted.RateLimited += loss.Count; break;
                    case LossCause.Shed: counted.Shed += loss.Count; break;
                    case LossCause.ReadFault: counted.ReadFault += loss.Count; break;
                }
            }

            positions.Advance(classId, entry.Cpu, entry.Last, counted);
        });
    }
}
