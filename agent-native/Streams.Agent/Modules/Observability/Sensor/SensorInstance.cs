using System.Runtime.InteropServices;
using LibbpfSharp;
using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using LibbpfSharp.Probes;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// The kernel side of the agent: ring, sequence, counter, control and position maps, pinned together under one directory with a random
/// epoch, and the programs that feed them. Numbers of a (class, cpu) are unique within the epoch.
/// </summary>
/// <remarks>
/// Life: <see cref="Start"/> loads the programs over new maps, or over those that a killed agent left; <see cref="Attach"/> lets events
/// flow; <see cref="Detach"/> stops them while ring and counters stay readable for the last barrier; disposing removes everything. A process that
/// is killed leaves the instance with its programs attached; one that could not finish leaves it by <see cref="Leave"/>. Counters may be
/// read from any thread.
/// </remarks>
public sealed partial class SensorInstance : IDisposable
{
    private static readonly (string Program, ushort Class)[] Emitters =
    [
        ("on_exec", RecordClass.ProcessExec), ("on_exit", RecordClass.ProcessExit), ("on_state", RecordClass.NetworkConnect),
    ];

    private readonly PinDirectory _pins;
    private readonly BpfObject _process;
    private readonly BpfObject _network;
    private readonly List<BpfLink> _links = [];
    private readonly PerCpuMap<uint, ClassSlot> _slots;
    private readonly MappedArray<SensorControl> _control;
    private readonly HashMap<ulong, uint> _excluded;
    private readonly uint _generation;

    private SensorInstance(PinDirectory pins, BpfObject process, BpfObject network, PositionTable positions, uint generation)
    {
        _pins = pins;
        _process = process;
        _network = network;
        _generation = generation;
        Positions = positions;
        Events = process.Map(SensorMaps.Events);
        _slots = new PerCpuMap<uint, ClassSlot>(process.Map(SensorMaps.Slots));
        _control = new MappedArray<SensorControl>(process.Map(SensorMaps.Control));
        _excluded = new HashMap<ulong, uint>(process.Map(SensorMaps.Excluded));
    }

    /// <summary>128 random bits that name this instance.</summary>
    public ReadOnlyMemory<byte> Epoch { get; private init; }

    /// <summary>Possible CPUs; a record's cpu is below it.</summary>
    public int Cpus => BpfMap.PossibleCpus;

    /// <summary>Where the maps are pinned.</summary>
    public string PinPath => _pins.Path;

    /// <summary>True when a killed agent began the instance.</summary>
    public bool IsTakenOver { get; private init; }

    /// <summary>
    /// Epoch (hexadecimal, or "unreadable") of an instance of another layout or owner that was removed; to be logged. Null: none.
    /// </summary>
    public string? RemovedEpoch { get; private init; }

    /// <summary>The ring.</summary>
    internal BpfMap Events { get; }

    /// <summary>How far the numbers are in the spool.</summary>
    internal PositionTable Positions { get; }

    /// <summary>
    /// Loads the programs and pins the maps, or takes over those of a killed agent. Nothing of this process is attached yet.
    /// </summary>
    /// <param name="options">The ring's size is that of the instance when one is taken over.</param>
    /// <param name="settle">Given an instance of another layout before it is removed, to account for its numbers.</param>
    /// <exception cref="SensorException">Another agent runs, or the mirrors do not fit the objects.</exception>
    /// <exception cref="BpfException">The kernel refused something; the message has libbpf's lines.</exception>
    internal static SensorInstance Start(SensorOptions options, Action<ForeignInstance>? settle = null)
    {
        var pins = PinDirectory.Take(options);
        var takenOver = false;
        try
        {
            string? removed = null;
            var found = pins.IsEmpty ? default : PinnedIdentity.Read(pins);
            var isOurs = found.IsOf(options.Owner.Span);
            if (isOurs && found.IsUsable)
            {
                takenOver = true;
                return Load(pins, options with { RingBytes = found.RingBytes }, found.Identity, null);
            }
            if (!pins.IsEmpty)
            {
                removed = found.EpochText;
                using (var foreign = isOurs ? ForeignInstance.TryOpen(pins, found) : null)
                {
                    if (foreign is not null)
                    {
                        settle?.Invoke(foreign);
                    }
                }
                pins.Clear();
            }
            return Load(pins, options, null, removed);
        }
        catch
        {
            if (takenOver)
            {
                pins.Dispose();
            }
            else
            {
                pins.Remove();
            }
            throw;
        }
    }

    /// <summary>Removes everything: the instance has ended, its last barrier is out.</summary>
    public void Dispose()
    {
        Detach();
        Close();
        _pins.Remove();
    }

    /// <summary>
    /// Leaves everything to the next agent, which accounts for what this one did not hand on. Programs that are attached go on.
    /// </summary>
    public void Leave()
    {
        _links.ForEach(link => link.Dispose());
        _links.Clear();
        Close();
        _pins.Dispose();
    }

    private static SensorInstance Load(PinDirectory pins, SensorOptions options, InstanceIdentity? identity, string? removed)
    {
        BpfObject? process = null;
        BpfObject? network = null;
        PositionTable? positions = null;
        try
        {
            var generation = NextGeneration(pins);
            process = Open("process", options, pins, generation);
            network = Open("network", options, pins, generation);
            network.Map(SensorMaps.Owners).SetPinPath(pins.File(SensorMaps.Owners));
            var differences = LayoutCheck.Compare(process, network);
            if (differences.Count > 0)
            {
                throw new SensorException("Record layouts differ: " + string.Join("; ", differences));
            }
            // The first load creates and pins the shared maps, or finds those of a killed agent; the second finds them by their pins.
            process.Load();
            network.Load();
            positions = identity is null ? PositionTable.Create() : PositionTable.Open(pins.File(SensorMaps.Positions));
            // libbpf has read the kernel's BTF twice by now.
            KernelProbe.TrimNativeHeap();
            // Not RandomNumberGenerator: it loads OpenSSL into the agent, 3.7 MB resident.
            var epoch = new byte[Schema.Epoch.Size];
            if (identity is { } found)
            {
                ((ReadOnlySpan<byte>)found.Epoch).CopyTo(epoch);
            }
            else
            {
                Schema.Epoch.NewRandom().Write(epoch);
            }
            var instance = new SensorInstance(pins, process, network, positions, generation)
            {
                Epoch = epoch,
                IsTakenOver = identity is not null,
                RemovedEpoch = removed,
            };
            instance.ResetOrders(options);
            if (identity is null)
            {
                positions.Pin(pins.File(SensorMaps.Positions));
                instance.WriteIdentity(epoch, options.Owner.Span);
            }
            return instance;
        }
        catch
        {
            positions?.Dispose();
            network?.Dispose();
            process?.Dispose();
            throw;
        }
    }

    private static BpfObject Open(string name, SensorOptions options, PinDirectory pins, uint generation)
    {
        var item = BpfObject.Open(SensorResources.Read($"bpf/{name}.bpf.o"), name);
        MemoryMarshal.Write(item.Map(".rodata.generation").InitialValue, generation);
        item.Map(SensorMaps.Events).MaxEntries = options.RingBytes;
        foreach (var map in SensorMaps.Shared)
        {
            item.Map(map).SetPinPath(pins.File(map));
        }
        return item;
    }

    // Last: an instance without identity is half made.
    private void WriteIdentity(ReadOnlySpan<byte> epoch, ReadOnlySpan<byte> owner)
    {
        var identity = new InstanceIdentity { Layout = InstanceIdentity.CurrentLayout, Cpus = (uint)Cpus };
        epoch.CopyTo(identity.Epoch);
        owner.CopyTo(identity.Owner);
        var map = new ArrayMap<InstanceIdentity>(_process.Map(SensorMaps.Instance));
        map[0] = identity;
    }

    private void Close()
    {
        _control.Dispose();
        Positions.Dispose();
        _network.Dispose();
        _process.Dispose();
    }
}
