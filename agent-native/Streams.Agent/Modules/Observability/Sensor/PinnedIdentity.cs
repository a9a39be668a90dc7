using LibbpfSharp;
using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>What is known of the instance that a directory of pins holds.</summary>
/// <param name="Identity">Null: nothing can be read.</param>
/// <param name="RingBytes">Size of its ring, 0 when there is none.</param>
/// <param name="IsComplete">It has all the maps of an instance of this layout.</param>
internal readonly record struct PinnedIdentity(InstanceIdentity? Identity, int RingBytes, bool IsComplete)
{
    /// <summary>True when this agent's programs can go on with it.</summary>
    public bool IsUsable => IsComplete && Identity is { Layout: InstanceIdentity.CurrentLayout } found && found.Cpus == BpfMap.PossibleCpus;

    /// <summary>True when its numbers are in this agent's ledger.</summary>
    public bool IsOf(ReadOnlySpan<byte> owner) => Identity is { } found && owner.SequenceEqual(found.Owner);

    /// <summary>As hexadecimal, or "unreadable".</summary>
    public string EpochText => Identity is { } found ? Convert.ToHexStringLower(found.Epoch) : "unreadable";

    public static PinnedIdentity Read(PinDirectory pins)
    {
        InstanceIdentity? identity = null;
        var ringBytes = 0;
        try
        {
            using var map = BpfMap.OpenPinned(pins.File(SensorMaps.Instance));
            identity = new ArrayMap<InstanceIdentity>(map)[0];
            using var ring = BpfMap.OpenPinned(pins.File(SensorMaps.Events));
            ringBytes = ring.Type == BpfMapType.RingBuf ? ring.MaxEntries : 0;
        }
        catch (Exception error) when (error is BpfException or ArgumentException)
        {
            // Half made (an agent that died while it started has stamped nothing), or of another layout.
        }
        return new PinnedIdentity(identity, ringBytes, ringBytes > 0 && SensorMaps.All.All(name => File.Exists(pins.File(name))));
    }
}
