using System.Diagnostics;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

public sealed partial class SensorReader
{
    // A program that stamped before it reserved (emit_output) is in flight for microseconds; a preempted one for
    // milliseconds. Beyond this something is wrong and the numbers are reported as unknown.
    private static readonly TimeSpan SettleLimit = TimeSpan.FromMilliseconds(250);

    // A program that was held up while the counters of a hand-over were read may have counted a loss and taken its number afterwards. The
    // loss was then given to a number that in truth went with the killed agent, and that later number finds no counter left: it is given
    // to the restart instead, so by cause the sums are right. As many as contexts can nest on a CPU.
    private const ulong InFlight = 4;

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
            if ((_ring.ReadPosition >= target || overdue) && SettleTails(ref sink, snapshot, null, overdue))
            {
                return Unknown == unknown;
            }
            Thread.Sleep(1);
        }
    }

    /// <summary>
    /// The first thing after a take-over, before anything else is read: gives to the sink every number that a killed agent did not hand
    /// on, up to the hand-over's, as a record from the ring, as counted by the kernel, or as lost with that agent.
    /// </summary>
    /// <param name="handOver">Read while nothing stamped, so its losses are those among its numbers.</param>
    /// <returns>False when numbers beyond the hand-over had to be reported as unknown.</returns>
    public bool TakeOver<TSink>(ref TSink sink, StampSnapshot handOver)
        where TSink : IRecordSink, allows ref struct
    {
        foreach (var classId in RecordClass.All)
        {
            for (ushort cpu = 0; cpu < _cpus; cpu++)
            {
                if (handOver[classId, cpu].Seq is > 0 and var stamped)
                {
                    StateOf(classId, cpu).RestartUpTo = stamped + InFlight;
                }
            }
        }
        var unknown = Unknown;
        // All records up to the hand-over are complete, and lie before this position.
        var target = _ring.ProducerPosition;
        while (_ring.ReadPosition < target)
        {
            if (DrainTo(ref sink, int.MaxValue, target) == 0)
            {
                Thread.Sleep(1);
            }
        }
        SettleTails(ref sink, handOver, handOver, force: true);
        return Unknown == unknown;
    }

    // counters: of the snapshot's own moment when nothing was in flight then, else null and read now.
    private bool SettleTails<TSink>(ref TSink sink, StampSnapshot snapshot, StampSnapshot? counters, bool force)
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
                if (!read && counters is null)
                {
                    _instance.ReadSlots(classId, _fresh.OfClass(classId));
                    read = true;
                }
                settled &= SettleTail(ref sink, StateOf(classId, (ushort)cpu), stamped, (counters ?? _fresh)[classId, cpu].Lost, force);
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
