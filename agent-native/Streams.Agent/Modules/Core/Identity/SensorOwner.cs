using Streams.Agent.Modules.Observability.Sensor;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>
/// By what the agent knows its own sensor instance in the kernel: the beginning of its first key, kept in STATE/sensor.owner, because the
/// key may change and what an agent with another key left must still be accounted for.
/// </summary>
internal static class SensorOwner
{
    public static byte[] Read(string stateDirectory, ReadOnlySpan<byte> publicKey)
    {
        var path = Path.Combine(stateDirectory, "sensor.owner");
        if (DurableFile.TryRead(path, SensorOptions.OwnerBytes) is { Length: SensorOptions.OwnerBytes } known)
            return known;
        var owner = publicKey[..SensorOptions.OwnerBytes].ToArray();
        DurableFile.Write(path, owner);
        return owner;
    }
}
