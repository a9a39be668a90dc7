using LibbpfSharp;
using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// An instance that an agent of another layout left. Its records cannot be read, but its numbers can be counted (events.h: what never
/// changes), so that its ledger ends balanced.
/// </summary>
internal sealed class ForeignInstance : IDisposable
{
    private ForeignInstance(InstanceIdentity identity, PositionTable positions)
    {
        Epoch = Schema.Epoch.Read(identity.Epoch);
        Layout = identity.Layout;
        Positions = positions;
    }

    public Schema.Epoch Epoch { get; }

    public uint Layout { get; }

    public PositionTable Positions { get; }

    /// <summary>Its counters after its programs were detached.</summary>
    public StampSnapshot Stamped { get; } = new();

    /// <summary>Detaches what is attached and reads the counters. Null: not even those can be read.</summary>
    public static ForeignInstance? TryOpen(PinDirectory pins, PinnedIdentity found)
    {
        // Layout 0: an agent died before it attached anything.
        if (found.Identity is not { Layout: > 0 } identity || identity.Cpus != BpfMap.PossibleCpus)
        {
            return null;
        }
        ForeignInstance? instance = null;
        try
        {
            instance = new ForeignInstance(identity, PositionTable.Open(pins.File(SensorMaps.Positions)));
            LeftLinks.Detach(pins);
            using var map = BpfMap.OpenPinned(pins.File(SensorMaps.Slots));
            var slots = new PerCpuMap<uint, ClassSlot>(map);
            foreach (var classId in RecordClass.All)
            {
                slots.TryGet(classId, instance.Stamped.OfClass(classId));
            }
            return instance;
        }
        catch (Exception error) when (error is BpfException or ArgumentException)
        {
            instance?.Dispose();
            return null;
        }
    }

    /// <summary>Every number that is not in the spool, by (class, cpu): counted by the kernel, or lost with the dead agent.</summary>
    public IEnumerable<LostRange> Unaccounted()
    {
        for (var i = 0; i < RecordClass.All.Length; i++)
        {
            var classId = RecordClass.All[i];
            for (var cpu = 0; cpu < Stamped.Cpus; cpu++)
            {
                var position = Positions.Read(classId, (ushort)cpu);
                var slot = Stamped[classId, cpu];
                if (slot.Seq > position.Seq)
                {
                    var losses = new LossAttribution(position.Lost);
                    var causes = losses.Attribute(slot.Seq - position.Seq, slot.Lost, out var restart);
                    yield return new LostRange(classId, (ushort)cpu, position.Seq + 1, slot.Seq, causes, 0, restart);
                }
            }
        }
    }

    public void Dispose() => Positions.Dispose();
}
