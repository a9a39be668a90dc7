using Streams.Schema;

namespace Streams.Storage;

/// <summary>One ledger row of a batch: <c>Rows + sum(Lost) = Last - First + 1</c>.</summary>
/// <param name="Lost">Rows lost, by number of the cause.</param>
public sealed record LedgerLine(ushort Cpu, ulong First, ulong Last, uint Rows, IReadOnlyList<ulong> Lost);

/// <summary>
/// What the ledger says of a batch where that is not what the batch itself says: its rows became a dead letter, or it came as a tombstone
/// and its rows are stored.
/// </summary>
public sealed record LedgerAccount(BatchHeader Header, string Class, IReadOnlyList<LedgerLine> Lines)
{
    // The range is empty: sums over ranges do not see it, and the batch is committed all the same.
    private static readonly LedgerLine Nothing = new(ushort.MaxValue, 1, 0, 0, new ulong[LossCauses.Count]);

    // Where an agent puts the rows of a batch that it no longer has.
    private static readonly LossCause[] Gone = [LossCause.SpoolEvicted, LossCause.SpoolCorrupt, LossCause.ServerLost];

    /// <summary>A batch of which only the number is known: one line over no sequence numbers.</summary>
    public static LedgerAccount OfNothing(in BatchHeader header, string eventClass) => new(header with { Rows = 0 }, eventClass, [Nothing]);

    /// <summary>Its rows count as lost to a dead letter; its own losses stay.</summary>
    public static LedgerAccount OfDeadLetter(DecodedBatch batch)
    {
        var lines = new List<LedgerLine>();
        foreach (var entry in batch.Ledger.Entries)
        {
            var lost = Lost(batch, entry);
            lost[(int)LossCause.DeadLetter] += entry.Rows;
            lines.Add(new LedgerLine(entry.Cpu, entry.First, entry.Last, 0, lost));
        }

        return lines.Count == 0
            ? OfNothing(batch.Header, batch.Class.Name)
            : new LedgerAccount(batch.Header with { Rows = 0 }, batch.Class.Name, lines);
    }

    /// <summary>
    /// The batch came as a tombstone, or its ledger cannot be read, and its rows are in the table: they are rows and not losses. Where the
    /// batch has no entry of their CPU the stored sequence numbers are one; numbers between them that are not there are lost to an unknown
    /// cause.
    /// </summary>
    /// <param name="tombstone">Null when its ledger cannot be read.</param>
    public static LedgerAccount OfStored(
        in BatchHeader header, string eventClass, DecodedBatch? tombstone, IReadOnlyList<StoredRows> stored)
    {
        var lines = new List<LedgerLine>();
        var left = stored.ToDictionary(static rows => rows.Cpu, static rows => rows.Rows);
        foreach (var entry in tombstone is null ? [] : tombstone.Ledger.Entries)
        {
            var lost = Lost(tombstone!, entry);
            var rows = (ulong)entry.Rows;
            foreach (var cause in Gone)
            {
                var back = Math.Min(left.GetValueOrDefault(entry.Cpu), lost[(int)cause]);
                lost[(int)cause] -= back;
                rows += back;
                if (back != 0)
                {
                    left[entry.Cpu] -= back;
                }
            }

            lines.Add(new LedgerLine(entry.Cpu, entry.First, entry.Last, (uint)rows, lost));
        }

        foreach (var found in stored.Where(found => !lines.Exists(line => line.Cpu == found.Cpu)).ToArray())
        {
            var lost = new ulong[LossCauses.Count];
            lost[(int)LossCause.Unknown] = found.Last - found.First + 1 - found.Rows;
            lines.Add(new LedgerLine(found.Cpu, found.First, found.Last, (uint)found.Rows, lost));
        }

        return new LedgerAccount(header with { Rows = (int)stored.Sum(static rows => (long)rows.Rows) }, eventClass, lines);
    }

    private static ulong[] Lost(DecodedBatch batch, in LedgerEntry entry)
    {
        var lost = new ulong[LossCauses.Count];
        foreach (var loss in batch.Ledger.Losses(entry))
        {
            lost[(int)LossCauses.OrUnknown(loss.Cause)] += loss.Count;
        }

        return lost;
    }
}
