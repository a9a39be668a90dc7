using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>Where the reader stands in the numbers of one (class, cpu).</summary>
/// <param name="start">What a killed agent of the same instance had handed on; zero for a new one.</param>
internal sealed class ClassCpuState(ushort classId, ushort cpu, in Position start)
{
    public readonly ushort Class = classId;
    public readonly ushort Cpu = cpu;
    public readonly ReorderWindow Window = new();
    public LossAttribution Losses = new(start.Lost);

    /// <summary>Records up to it are in the spool: a killed agent had not given their place in the ring back yet.</summary>
    public readonly ulong Spooled = start.Seq;

    /// <summary>Numbers up to it may have been read by a killed agent, which then lost them with its memory.</summary>
    public ulong RestartUpTo;

    /// <summary>Everything up to this number was given to the sink, as a record or as lost.</summary>
    public ulong Contiguous = start.Seq;
}
