namespace Streams.Agent.Modules.Observability.Shedding;

/// <summary>How close the agent is to losing events without choosing which. Shares, 1 is the bound.</summary>
/// <param name="Ring">Bytes waiting in the ring, of its size.</param>
/// <param name="Spool">Bytes kept, of the quota of the classes.</param>
/// <param name="Cpu">CPU time used, of observability.cpu_percent.</param>
internal readonly record struct Pressure(double Ring, double Spool, double Cpu)
{
    public double Highest => Math.Max(Ring, Math.Max(Spool, Cpu));

    /// <summary>Which one is the highest, in a word.</summary>
    public string Name => Ring >= Spool && Ring >= Cpu ? "ring" : Spool >= Cpu ? "spool" : "cpu";
}
