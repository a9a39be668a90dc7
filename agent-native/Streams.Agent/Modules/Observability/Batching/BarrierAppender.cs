using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>
/// What the reader calls while a barrier settles: no ledger entry goes across the barrier's S. On a busy CPU the reader gives numbers above S
/// before those up to S of all others are in; an entry over both would count neither for this barrier nor, without its start, for the next.
/// </summary>
/// <param name="snapshot">The barrier's S of every (class, cpu).</param>
internal readonly struct BarrierAppender(EventBatches batches, StampSnapshot snapshot) : IRecordSink
{
    public void OnRecord(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        // Numbers come without gap: S itself is given right before the one that follows it.
        if (header.Seq == snapshot[header.Class, header.Cpu].Seq + 1)
            batches.Cut(header.Class, header.Cpu);
        batches.Append(in header, record);
    }

    public void OnLost(in LostRange lost)
    {
        var stamped = snapshot[lost.Class, lost.Cpu].Seq;
        if (lost.First > stamped + 1 || lost.Last <= stamped)
        {
            batches.AddLost(lost);
            return;
        }

        var above = lost;
        if (lost.First <= stamped)
        {
            var (below, rest) = lost.SplitAfter(stamped);
            batches.AddLost(below);
            above = rest;
        }

        batches.Cut(lost.Class, lost.Cpu);
        batches.AddLost(above);
    }
}
