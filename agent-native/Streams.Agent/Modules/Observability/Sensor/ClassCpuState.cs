namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>Where the reader stands in the numbers of one (class, cpu).</summary>
internal sealed class ClassCpuState(ushort classId, ushort cpu)
{
    public readonly ushort Class = classId;
    public readonly ushort Cpu = cpu;
    public readonly ReorderWindow Window = new();
    public LossAttribution Losses;

    /// <summary>Everything up to this number was given to the sink, as a record or as lost.</summary>
    public ulong Contiguous;
}
