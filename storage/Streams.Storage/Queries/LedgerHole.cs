namespace Streams.Storage;

/// <summary>A sequence whose ledger does not reach its barriers.</summary>
/// <param name="Covered">Up to here every number is accounted for.</param>
/// <param name="Stamped">The kernel stamped up to here.</param>
public readonly record struct LedgerHole(string AgentId, ulong SensorEpoch, string Class, ushort Cpu, ulong Covered, ulong Stamped)
{
    /// <summary>What is wrong, one line.</summary>
    public string Describe() => $"numbers {Covered + 1} to {Stamped}: no batch and no counted loss begins at {Covered + 1}";
}
