namespace Streams.Storage;

/// <summary>A sequence whose numbers between two barriers were counted.</summary>
/// <param name="From">The barrier that was settled before; 0 for none.</param>
/// <param name="Stamped">The barrier.</param>
/// <param name="Stored">Rows between the two.</param>
/// <param name="Doubled">Of them, rows whose number is there more than once.</param>
/// <param name="Lost">Numbers counted as lost.</param>
/// <param name="Unknown">Of them, without a cause.</param>
/// <param name="Stop">The barrier is the last one of its sensor instance so far, made at a stop.</param>
public readonly record struct SettledBalance(
    string AgentId, string Host, ulong SensorEpoch, string Class, ushort Cpu, ulong From, ulong Stamped, ulong Stored, ulong Doubled, ulong Lost, ulong Unknown, bool Stop)
{
    /// <summary>Numbers that are neither rows nor losses; negative when there are too many.</summary>
    public long Difference => unchecked((long)(Stamped - From) - (long)Stored - (long)Lost);

    /// <summary>What is counted.</summary>
    public (string AgentId, ulong SensorEpoch, string Class, ushort Cpu) Sequence => (AgentId, SensorEpoch, Class, Cpu);

    public bool IsBalanced => Difference == 0 && Doubled == 0 && Unknown == 0;

    /// <summary>What is wrong, one line.</summary>
    public string Describe() => $"numbers {From + 1} to {Stamped}: {Stored} rows, {Doubled} of them doubled, {Lost} lost, {Unknown} of them without cause, difference {Difference}";
}
