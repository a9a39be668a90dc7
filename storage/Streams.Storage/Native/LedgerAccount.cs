using Streams.Schema;

namespace Streams.Storage;

/// <summary>One ledger row of a batch: <c>Rows + sum(Lost) = Last - First + 1</c>.</summary>
/// <param name="Lost">Rows lost, by number of the cause.</param>
public sealed record LedgerLine(ushort Cpu, ulong First, ulong Last, uint Rows, IReadOnlyList<ulong> Lost);

/// <summary>
/// What the ledger says of a batch where that is not what the batch itself says: its rows became a dead letter, or it came as a tombstone
/// and its rows are stored.
/// </summary>
/// <param name="Class">Empty when it cannot be read.</param>
public sealed record LedgerAccount(BatchHeader Header, string Class, IReadOnlyList<LedgerLine> Lines)
{
    // The range is empty: sums over ranges do not see it, and the batch is committed all the same.
    private static readonly LedgerLine Nothing = new(ushort.MaxValue, 1, 0, 0, new ulong[LossCauses.Count]);

    // Where an agent puts the rows of a batch that it no longer has.
    private static readonly LossCause[] Gone = [LossCause.SpoolEvicted, LossCause.SpoolCorrupt, LossCause.ServerLost];

    /// <summary>A batch of which only the number is known: one line over no sequence numbers.</summary>
    public static LedgerAccount OfNothing(in BatchHeader header, string eventClass) => new(header, eventClass, [Nothing]);

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

        return lines.Count == 0 ? OfNothing(batch.Header, batch.Class.Name) : new LedgerAccount(batch.Header, batch.Class.Name, lines);
    }

    /// <summary>
    /// The batch came as a tombstone, or cannot be read, and its rows are in the table: they are rows and not losses. Where the batch has
    /// no entry for them the stored sequence numbers are one; numbers between them that are not there are lost to an unknown cause.
    /// </summary>
    public static LedgerAccount OfStored(in BatchHeader header, string eventClass, DecodedBatch? batch, IReadOnlyList<StoredRows> stored)
    {
        var lines = new List<LedgerLine>();
        var left = stored.ToList();
        foreach (var entry in batch is null ? [] : batch.Ledger.Entries)
        {
            var lost = Lost(batch!, entry);
            var first = entry.First;
            var last = entry.Last;
            var cpu = entry.Cpu;
            ulong rows = 0;
            foreach (var found in left.Where(s => s.Cpu == cpu && s.First >= first && s.Last <= last).ToArray())
            {
                rows += found.Rows;
                left.Remove(found);
            }

            var move = rows;
            foreach (var cause in Gone)
            {
                var moved = Math.Min(move, lost[(int)cause]);
                lost[(int)cause] -= moved;
                move -= moved;
            }

            lines.Add(new LedgerLine(cpu, first, last, entry.Rows + (uint)(rows - move), lost));
        }

        foreach (var found in left)
        {
            var lost = new ulong[LossCauses.Count];
            lost[(int)LossCause.Unknown] = found.Last - found.First + 1 - found.Rows;
            lines.Add(new LedgerLine(found.Cpu, found.First, found.Last, (uint)found.Rows, lost));
        }

        return new LedgerAccount(header with { Rows = (int)stored.Sum(s => (long)s.Rows) }, eventClass, lines);
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
