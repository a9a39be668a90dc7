using System.Diagnostics;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

public sealed partial class SensorReader
{
    // A program that stamped before it reserved (emit_output) is in flight for microseconds; a preempted one for
    // milliseconds. Beyond this something is wrong and the numbers are reported as unknown.
    private static readonly TimeSpan SettleLimit = TimeSpan.FromMilliseconds(250);

    private readonly StampSnapshot _fresh = new();

    /// <summary>
    /// For a barrier: gives to the sink every number up to the snapshot's S of each (class, cpu), as a record or as lost,
    /// so that <see cref="LastContiguous"/> is at least S afterwards. Later records may be given as well.
    /// </summary>
    /// <param name="sink">Called on this thread.</param>
    /// <param name="snapshot">Taken from the instance before this call.</param>
    /// <returns>False when numbers had to be reported as unknown because neither a record nor a counter explained them in time.</returns>
    /// <remarks>
    /// Numbers up to S had their place in the ring when S was read, or are counted as lost, or are in flight. So: drain up
    /// to the producer position; give holes below held records and at the tail the causes of counters read after that; what
    /// they do not explain is in flight, wait and look again.
    /// </remarks>
    public bool Settle<TSink>(ref TSink sink, StampSnapshot snapshot)
        where TSink : IRecordSink, allows ref struct
    {
        var started = Stopwatch.GetTimestamp();
        var unknown = Unknown;
        while (true)
        {
            var overdue = Stopwatch.GetElapsedTime(started) > SettleLimit;
            var target = _ring.ProducerPosition;
            DrainTo(ref sink, int.MaxValue, target);
            if ((_ring.ReadPosition >= target || overdue) && SettleTails(ref sink, snapshot, overdue))
            {
                return Unknown == unknown;
            }
            Thread.Sleep(1);
        }
    }

    private bool SettleTails<TSink>(ref TSink sink, StampSnapshot snapshot, bool force)
        where TSink : IRecordSink, allows ref struct
    {
        var settled = true;
        foreach (var classId in RecordClass.All)
        {
            var read = false;
            for (var cpu = 0; cpu < _cpus; cpu++)
            {
                var stamped = snapshot[classId, cpu].Seq;
                if (stamped <= LastContiguous(classId, cpu))
                {
                    continue;
                }
                if (!read)
                {
                    _instance.ReadSlots(classId, _fresh.OfClass(classId));
                    read = true;
                }
                settled &= SettleTail(ref sink, StateOf(classId, (ushort)cpu), stamped, _fresh[classId, cpu].Lost, force);
            }
        }
        return settled;
    }

    private bool SettleTail<TSink>(ref TSink sink, ClassCpuState state, ulong stamped, in LostCounters counted, bool force)
        where TSink : IRecordSink, allows ref struct
    {
        while (state.Contiguous < stamped)
        {
            // Held records above S stay held: what is between S and them may still be in flight.
            var holeEnd = state.Window.Count > 0 ? Math.Min(state.Window.FirstSeq - 1, stamped) : stamped;
            if (holeEnd > state.Contiguous)
            {
                if (!force && state.Losses.Unattributed(counted) < holeEnd - state.Contiguous)
                {
                    return false;
                }
                Lose(ref sink, state, holeEnd, counted);
            }
            while (state.Window.Count > 0 && state.Window.FirstSeq == state.Contiguous + 1)
            {
                ReleaseFirst(ref sink, state);
            }
        }
        return true;
    }
}
