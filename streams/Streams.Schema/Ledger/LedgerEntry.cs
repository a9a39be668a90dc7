namespace Streams.Schema;

/// <summary>
/// What a batch accounts for on one CPU: the sequence numbers from <paramref name="First"/> to <paramref name="Last"/>, both
/// included, of which <paramref name="Rows"/> are rows of the batch and the rest is lost, by cause:
/// <c>Rows + lost = Last - First + 1</c>.
/// </summary>
/// <param name="Cpu">CPU of the sequence; 65535 for user-space producers.</param>
/// <param name="First">First sequence number that is accounted for.</param>
/// <param name="Last">Last sequence number that is accounted for.</param>
/// <param name="Rows">Rows of the batch with this cpu.</param>
/// <param name="LossStart">Where the causes of this entry start in its batch's list of causes.</param>
/// <param name="LossLength">How many causes it has.</param>
public readonly record struct LedgerEntry(ushort Cpu, ulong First, ulong Last, uint Rows, int LossStart = 0, int LossLength = 0)
{
    /// <summary>Bytes of an entry without its causes.</summary>
    public const int Size = 24;

    /// <summary>Bytes of one cause.</summary>
    public const int CauseSize = 12;

    /// <summary>True when rows and lost rows are exactly the range; false also for an empty or inverted range.</summary>
    public bool Balances(ReadOnlySpan<LossCount> losses)
    {
        UInt128 sum = Rows;
        foreach (var loss in losses)
        {
            sum += loss.Count;
        }

        return Last >= First && sum == (UInt128)(Last - First) + 1;
    }
}
