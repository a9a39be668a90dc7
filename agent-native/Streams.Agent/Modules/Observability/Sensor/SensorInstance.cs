using LibbpfSharp;
using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using LibbpfSharp.Probes;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// The kernel side of the agent: ring, sequence, counter and control maps, pinned together under one directory with a
/// random epoch, and the programs that feed them. Numbers of a (class, cpu) are unique within the epoch.
/// </summary>
/// <remarks>
/// Life: <see cref="Start"/> loads and pins, <see cref="Attach"/> lets events flow, <see cref="Detach"/> stops them while
/// ring and counters stay readable for the last barrier, disposing removes everything. Counters may be read from any thread.
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
    private readonly ArrayMap<SensorControl> _control;
    private readonly HashMap<ulong, uint> _excluded;

    private SensorInstance(PinDirectory pins, BpfObject process, BpfObject network)
    {
        _pins = pins;
        _process = process;
        _network = network;
        Events = process.Map(SensorMaps.Events);
        _slots = new PerCpuMap<uint, ClassSlot>(process.Map(SensorMaps.Slots));
        _control = new ArrayMap<SensorControl>(process.Map(SensorMaps.Control));
        _excluded = new HashMap<ulong, uint>(process.Map(SensorMaps.Excluded));
    }

    /// <summary>128 random bits that name this instance.</summary>
    public ReadOnlyMemory<byte> Epoch { get; private init; }

    /// <summary>Possible CPUs; a record's cpu is below it.</summary>
    public int Cpus => BpfMap.PossibleCpus;

    /// <summary>Where the maps are pinned.</summary>
    public string PinPath => _pins.Path;

    /// <summary>Epoch (hexadecimal, or "unreadable") of an instance that a dead agent left and that was removed; to be logged. Null: none.</summary>
    public string? RemovedEpoch => _pins.RemovedEpoch;

    /// <summary>The ring.</summary>
    internal BpfMap Events { get; }

    /// <summary>Loads the programs and pins the maps. Nothing is attached yet.</summary>
    /// <exception cref="SensorException">Another agent runs, or the mirrors do not fit the objects.</exception>
    /// <exception cref="BpfException">The kernel refused something; the message has libbpf's lines.</exception>
    public static SensorInstance Start(SensorOptions options)
    {
        var pins = PinDirectory.Take(options);
        BpfObject? process = null;
        BpfObject? network = null;
        try
        {
            process = Open("process", options, pins);
            network = Open("network", options, pins);
            var differences = LayoutCheck.Compare(process, network);
            if (differences.Count > 0)
            {
                throw new SensorException("Record layouts differ: " + string.Join("; ", differences));
            }
            // The first load creates and pins the shared maps, the second finds them by their pins.
            process.Load();
            network.Load();
            // libbpf has read the kernel's BTF twice by now.
            KernelProbe.TrimNativeHeap();
            // Not RandomNumberGenerator: it loads OpenSSL into the agent, 3.7 MB resident.
            var epoch = new byte[Streams.Schema.Epoch.Size];
            Streams.Schema.Epoch.NewRandom().Write(epoch);
            var instance = new SensorInstance(pins, process, network) { Epoch = epoch };
            instance.WriteIdentity(epoch);
            instance._control[0] = new SensorControl { WakeupBytes = options.WakeupBytes };
            return instance;
        }
        catch
        {
            network?.Dispose();
            process?.Dispose();
            pins.Dispose();
            throw;
        }
    }

    /// <summary>Attaches the programs and gives sockets that are open already their owners.</summary>
    /// <exception cref="BpfException">The kernel refused it; what was attached is detached.</exception>
    public void Attach()
    {
        try
        {
            _links.Add(_process.Program("on_exec").Attach());
            _links.Add(_process.Program("on_exit").Attach());
            _links.Add(_network.Program("on_state").Attach());
            using var seed = _network.Program("seed_owners").AttachIterator();
            seed.ReadIterator();
        }
        catch
        {
            Detach();
            throw;
        }
    }

    /// <summary>Detaches the programs: no number is stamped after it, except by a program that is running just now.</summary>
    public void Detach()
    {
        foreach (var link in _links)
        {
            link.Dispose();
        }
        _links.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Detach();
        _network.Dispose();
        _process.Dispose();
        _pins.Dispose();
    }

    private static BpfObject Open(string name, SensorOptions options, PinDirectory pins)
    {
        var item = BpfObject.Open(SensorResources.Read($"bpf/{name}.bpf.o"), name);
        item.Map(SensorMaps.Events).MaxEntries = options.RingBytes;
        foreach (var map in SensorMaps.All)
        {
            item.Map(map).SetPinPath(pins.File(map));
        }
        return item;
    }

    private void WriteIdentity(ReadOnlySpan<byte> epoch)
    {
        var identity = new InstanceIdentity { Layout = InstanceIdentity.CurrentLayout, Cpus = (uint)Cpus };
        epoch.CopyTo(identity.Epoch);
        var map = new ArrayMap<InstanceIdentity>(_process.Map(SensorMaps.Instance));
        map[0] = identity;
    }
}
