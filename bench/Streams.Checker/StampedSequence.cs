namespace Streams.Checker;

/// <summary>What a producer says it stamped: the numbers 1 to <paramref name="Stamped"/> of one (sensor instance, class, CPU).</summary>
/// <param name="SensorEpoch">First 8 bytes of the sensor instance, as in every table.</param>
/// <param name="Class">Name of the class, which is its table.</param>
/// <param name="Cpu">CPU; 65535 for user-space producers.</param>
/// <param name="Stamped">Last sequence number stamped.</param>
public sealed record StampedSequence(ulong SensorEpoch, string Class, ushort Cpu, ulong Stamped);
