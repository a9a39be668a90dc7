using LibbpfSharp.Handles;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>The kernel's counters of every (class, cpu) at one moment; reused from barrier to barrier.</summary>
public sealed class StampSnapshot
{
    private readonly ClassSlot[] _slots = new ClassSlot[RecordClass.End * BpfMap.PossibleCpus];

    /// <summary>CPUs, possible ones.</summary>
    public int Cpus => BpfMap.PossibleCpus;

    /// <summary>Counters of a (class, cpu). Seq is the barrier's S.</summary>
    public ref readonly ClassSlot this[ushort classId, int cpu] => ref _slots[(classId * Cpus) + cpu];

    /// <summary>The CPUs' counters of a class.</summary>
    public Span<ClassSlot> OfClass(ushort classId) => _slots.AsSpan(classId * Cpus, Cpus);

    /// <summary>True when nothing was stamped between the two.</summary>
    public bool HasNumbersOf(StampSnapshot other)
    {
        foreach (var classId in RecordClass.All)
        {
            for (var cpu = 0; cpu < Cpus; cpu++)
            {
                ref readonly var ours = ref this[classId, cpu];
                ref readonly var theirs = ref other[classId, cpu];
                if (ours.Seq != theirs.Seq || ours.Lost.Total != theirs.Lost.Total)
                {
                    return false;
                }
            }
        }
        return true;
    }
}
