namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>The compiled BPF objects in this assembly.</summary>
public static class SensorResources
{
    /// <summary>Bytes of an object, in place: resources are part of the mapped program file.</summary>
    public static unsafe ReadOnlySpan<byte> Read(string name)
    {
        var stream = typeof(SensorResources).Assembly.GetManifestResourceStream(name)
            ?? throw new SensorException($"The program contains no {name}.");
        if (stream is UnmanagedMemoryStream mapped)
        {
            return new ReadOnlySpan<byte>(mapped.PositionPointer, (int)mapped.Length);
        }
        var copy = new byte[stream.Length];
        stream.ReadExactly(copy);
        return copy;
    }
}
