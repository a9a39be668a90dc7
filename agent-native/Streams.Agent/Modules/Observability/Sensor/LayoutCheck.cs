using LibbpfSharp.Btf;
using LibbpfSharp.Handles;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>Compares the C# mirrors with the BTF of the compiled objects, so that a mismatch stops the agent and corrupts nothing.</summary>
public static class LayoutCheck
{
    /// <summary>Every mirror.</summary>
    public static IReadOnlyList<MirrorLayout> Mirrors =>
    [
        RecordHeader.Mirror, ProcessExecRecord.Mirror, ProcessExitRecord.Mirror, NetworkEndpoint.Mirror,
        NetworkConnectRecord.Mirror, NetworkAcceptRecord.Mirror, NetworkCloseRecord.Mirror,
        ClassSlot.Mirror, SensorControl.Mirror, InstanceIdentity.Mirror,
    ];

    /// <summary>What differs, one line each; empty when all is well. Each mirror must be in at least one of the objects.</summary>
    public static List<string> Compare(params ReadOnlySpan<BpfObject> objects)
    {
        var differences = new List<string>();
        foreach (var mirror in Mirrors)
        {
            var found = false;
            foreach (var item in objects)
            {
                if (item.Types.FindStruct(mirror.Name) is { } native)
                {
                    found = true;
                    Compare(mirror, native, differences);
                }
            }
            if (!found)
            {
                differences.Add($"struct {mirror.Name} is in no object's BTF");
            }
        }
        return differences;
    }

    private static void Compare(MirrorLayout mirror, BtfStruct native, List<string> differences)
    {
        if (native.Size != mirror.Size)
        {
            differences.Add($"struct {mirror.Name}: {native.Size} bytes in BTF, {mirror.Size} in the mirror");
        }
        // A flexible array at the end has no field in the mirror.
        var expected = native.Fields.Where(field => field.Size != 0).Select(field => new MirrorField(field.Name, field.Offset, field.Size));
        foreach (var (native1, mirrored) in expected.Zip(mirror.Fields).Where(pair => pair.First != pair.Second))
        {
            differences.Add($"struct {mirror.Name}: {native1} in BTF, {mirrored} in the mirror");
        }
        if (expected.Count() != mirror.Fields.Length)
        {
            differences.Add($"struct {mirror.Name}: {expected.Count()} fields in BTF, {mirror.Fields.Length} in the mirror");
        }
    }
}
