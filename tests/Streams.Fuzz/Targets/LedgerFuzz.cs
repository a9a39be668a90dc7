using System.Buffers.Binary;
using Streams.Schema;

namespace Streams.Fuzz.Targets;

/// <summary>A ledger under a header that says any number of rows and entries: the first 6 bytes.</summary>
internal sealed class LedgerFuzz : FuzzTarget
{
    private readonly DecodedLedger _ledger = new();

    public override string Name => "ledger";

    public override IEnumerable<byte[]> Seeds()
    {
        var batch = SampleBatch.Make(Catalogue.Classes[0], BatchCompression.None);
        Must(BatchHeader.TryRead(batch, out var header, out _), "no header");
        var counts = new byte[6];
        BinaryPrimitives.WriteInt32LittleEndian(counts, header.Rows);
        BinaryPrimitives.WriteInt16LittleEndian(counts.AsSpan(4), (short)header.LedgerEntries);
        yield return [.. counts, .. batch.AsSpan(BatchHeader.Size, header.LedgerLength)];
        // A tombstone: no rows, all of them under a cause.
        yield return [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0];
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 6)
        {
            return 0;
        }

        var ledger = input[6..];
        var header = new BatchHeader
        {
            Rows = (int)(BinaryPrimitives.ReadUInt32LittleEndian(input) % (Limits.MaxRows + 1)),
            LedgerEntries = BinaryPrimitives.ReadUInt16LittleEndian(input[4..]) % (Limits.MaxLedgerEntries + 1),
            LedgerLength = ledger.Length,
        };
        if (!_ledger.TryRead(ledger, header))
        {
            return 1;
        }

        var rows = 0L;
        Must(_ledger.Entries.Length == header.LedgerEntries, "entries are missing");
        foreach (var entry in _ledger.Entries)
        {
            var lost = 0UL;
            foreach (var loss in _ledger.Losses(entry))
            {
                lost += loss.Count;
            }

            Must(entry.Last >= entry.First && entry.Rows + lost == entry.Last - entry.First + 1, "an entry that does not add up");
            rows += entry.Rows;
        }

        Must(rows == header.Rows, "the ledger has other rows");
        return 2 + header.LedgerEntries;
    }
}
