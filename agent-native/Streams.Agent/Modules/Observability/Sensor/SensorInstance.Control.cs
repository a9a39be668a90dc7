using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

// Counters out, orders in.
public sealed partial class SensorInstance
{
    private readonly Lock _orders = new();

    /// <summary>Reads the counters of all classes. Take it before <see cref="SensorReader.Settle"/>.</summary>
    public void Read(StampSnapshot snapshot)
    {
        foreach (var classId in RecordClass.All)
        {
            ReadSlots(classId, snapshot.OfClass(classId));
        }
    }

    /// <summary>Reads the counters of a class, one per CPU.</summary>
    public void ReadSlots(ushort classId, Span<ClassSlot> slots) => _slots.TryGet(classId, slots);

    /// <summary>
    /// Reads how often each program could not run, from the kernel's recursion_misses, with what those of earlier agents missed.
    /// </summary>
    public IReadOnlyList<ProgramMiss> ReadMissed()
    {
        var missed = new ProgramMiss[Emitters.Length];
        for (var i = 0; i < Emitters.Length; i++)
        {
            var (name, classId) = Emitters[i];
            var owner = _process.Programs.ContainsKey(name) ? _process : _network;
            missed[i] = new ProgramMiss(name, classId, _control[0].Missed[classId] + owner.Program(name).ReadInfo().RecursionMisses);
        }
        return missed;
    }

    /// <summary>Network events of processes in this cgroup and below are counted as filtered from now on; exec and exit are not filtered.</summary>
    /// <param name="cgroupId">Inode number of the cgroup v2 directory (CgroupFileSystem.IdOf).</param>
    /// <remarks>Decided per socket at connect() and listen(): sockets made before keep what held then. Call it before <see cref="Attach"/>.</remarks>
    /// <exception cref="LibbpfSharp.BpfException">E2BIG: more than 64.</exception>
    public void ExcludeCgroup(ulong cgroupId)
    {
        lock (_orders)
        {
            if (_excluded.Set(cgroupId, 1, LibbpfSharp.Maps.MapUpdate.NoExist))
            {
                _control[0].ExcludedCgroups++;
            }
        }
    }

    /// <summary>Takes a cgroup off the exclusion list.</summary>
    public void IncludeCgroup(ulong cgroupId)
    {
        lock (_orders)
        {
            if (_excluded.Remove(cgroupId))
            {
                _control[0].ExcludedCgroups--;
            }
        }
    }

    /// <summary>Classes whose value (VALUE_* of events.h) is below the level count "shed" instead of emitting. 0: none.</summary>
    public void SetShedLevel(uint level) => Volatile.Write(ref _control[0].ShedLevel, level);

    /// <summary>The generation that records carry from now on.</summary>
    public void SetPolicyGeneration(ulong generation) => Volatile.Write(ref _control[0].PolicyGeneration, generation);

    // What a killed agent had ordered is not what this one wants.
    private void ResetOrders(SensorOptions options)
    {
        while (_excluded.TryNextKey(null, out var cgroupId))
        {
            _excluded.Remove(cgroupId);
        }
        ref var control = ref _control[0];
        Volatile.Write(ref control.ExcludedCgroups, 0);
        Volatile.Write(ref control.WakeupBytes, options.WakeupBytes);
        SetShedLevel(0);
    }
}
