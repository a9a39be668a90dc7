using LibbpfSharp;
using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// How far the numbers of each (class, cpu) are in the spool: the map "positions", pinned with the instance and written by the agent right
/// after each batch is handed over. With it the next agent knows what a killed one had read and not handed on.
/// </summary>
/// <remarks>
/// A killed process leaves a prefix of its stores, so an entry is written in an order in which every prefix is right: the half that does
/// not count is emptied, filled, and made to count by its number. About 10 ns, no system call. One writer.
/// </remarks>
internal sealed class PositionTable : IDisposable
{
    /// <summary>The cpu of producers in user space (the barrier's own rows).</summary>
    public const ushort UserSpaceCpu = 65535;

    private readonly BpfMap _map;
    private readonly MappedArray<PositionPair> _entries;
    private readonly int _cpus;

    private PositionTable(BpfMap map)
    {
        _map = map;
        _cpus = BpfMap.PossibleCpus;
        _entries = new MappedArray<PositionPair>(map);
    }

    /// <summary>Entries: a class has one per CPU and one for user space.</summary>
    private static int Length => RecordClass.Slots * (BpfMap.PossibleCpus + 1);

    /// <summary>A table that nothing else knows yet.</summary>
    /// <exception cref="BpfException">The kernel refused the map.</exception>
    public static unsafe PositionTable Create()
    {
        const uint flags = MappedArray<PositionPair>.Mappable;
        return Over(BpfMap.Create(BpfMapType.Array, SensorMaps.Positions, sizeof(uint), sizeof(PositionPair), Length, flags));
    }

    /// <summary>Opens a pinned table.</summary>
    /// <exception cref="BpfException">There is none.</exception>
    /// <exception cref="ArgumentException">It is of another shape.</exception>
    public static PositionTable Open(string path) => Over(BpfMap.OpenPinned(path));

    public void Pin(string path) => _map.Pin(path);

    /// <summary>Where a (class, cpu) stands.</summary>
    public Position Read(ushort classId, ushort cpu)
    {
        ref var pair = ref Entry(classId, cpu);
        return pair.A.Seq > pair.B.Seq ? pair.A : pair.B;
    }

    /// <summary>Moves a (class, cpu) on to a later number.</summary>
    /// <param name="last">No effect unless it is beyond the position.</param>
    /// <param name="lost">The counted losses among the numbers since the last position.</param>
    public void Advance(ushort classId, ushort cpu, ulong last, in LostCounters lost)
    {
        ref var pair = ref Entry(classId, cpu);
        ref var from = ref pair.A;
        ref var to = ref pair.B;
        if (pair.B.Seq > pair.A.Seq)
        {
            from = ref pair.B;
            to = ref pair.A;
        }
        if (last <= from.Seq)
        {
            return;
        }
        Volatile.Write(ref to.Seq, 0);
        Volatile.Write(ref to.Lost.RingFull, from.Lost.RingFull + lost.RingFull);
        Volatile.Write(ref to.Lost.RateLimited, from.Lost.RateLimited + lost.RateLimited);
        Volatile.Write(ref to.Lost.Shed, from.Lost.Shed + lost.Shed);
        Volatile.Write(ref to.Lost.ReadFault, from.Lost.ReadFault + lost.ReadFault);
        Volatile.Write(ref to.Seq, last);
    }

    public void Dispose()
    {
        _entries.Dispose();
        _map.Dispose();
    }

    private static PositionTable Over(BpfMap map)
    {
        try
        {
            return map.MaxEntries == Length
                ? new PositionTable(map)
                : throw new ArgumentException($"Map {map.Name} has {map.MaxEntries} entries, not {Length}.");
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    private ref PositionPair Entry(ushort classId, ushort cpu) => ref _entries[(classId * (_cpus + 1)) + Math.Min(cpu, _cpus)];
}
