using System.Buffers.Binary;
using Streams.AgentLink.Spool;
using Streams.Schema;

namespace Streams.Fuzz.Targets;

/// <summary>
/// A segment of the spool as a crash or a bad disk left it. It opens, every n below its end gives a batch of that number or a tombstone,
/// and the sums that a disk would not hit by chance are put right first, so that what is behind them is reached.
/// </summary>
internal sealed class SpoolFuzz : FuzzTarget, IDisposable
{
    private static readonly SegmentName Segment = new(Epoch.Read([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]), 1, PriorityClass.Event);

    private readonly string _folder = Directory.CreateTempSubdirectory("streams-fuzz").FullName;
    private readonly byte[] _batches = new byte[Limits.MaxStoredBytes];
    private readonly DecodedLedger _ledger = new();

    public override string Name => "spool";

    public override IEnumerable<byte[]> Seeds()
    {
        var header = new byte[SegmentHeader.Size];
        SegmentHeader.WriteFixed(header, Segment, 1_750_000_000_000);
        SegmentHeader.WriteMark(header.AsSpan(SegmentHeader.FixedSize), default, 1, 0);
        yield return [.. header, .. Record(0), .. Record(1), .. Record(2)];
        yield return header;
        yield return [.. header, .. Record(0), .. Record(2)];
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        var content = input.ToArray();
        Repair(content);
        var path = Path.Combine(_folder, Segment.FileName);
        File.WriteAllBytes(path, content);
        var counters = new SpoolCounters();
        using var segment = Streams.AgentLink.Spool.Segment.Open(path, Segment, counters, readOnly: false);
        if (segment is null)
        {
            return 1;
        }

        Must(segment.Bytes <= Math.Max(content.Length, SegmentHeader.Size) && segment.Committed <= segment.Next, "the segment is longer than its file");
        var entries = 0;
        segment.Visit((_, _, in _, _) => entries++, _ledger);
        for (var n = 0u; n < Math.Min(segment.Next, 64); n++)
        {
            var length = segment.CopyFrom(n, _batches, out var count);
            Must(segment.LengthOf(n) > 0 && count > 0 && length > 0, $"{n} is neither a batch nor a tombstone");
            Must(segment.BytesFrom(n) > 0, $"nothing is from {n} on");
            segment.ClassOf(n);
        }

        return 2 + (int)Math.Min(segment.Next, 64) + ((int)Math.Min(counters.BatchesCorrupt, 64) << 8) + (Math.Min(entries, 64) << 16);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] Record(uint n)
    {
        var batch = SampleBatch.Make(Catalogue.Classes[0], BatchCompression.None, 1, n);
        var record = new byte[RecordHeader.Size + batch.Length];
        batch.CopyTo(record, RecordHeader.Size);
        RecordHeader.Write(record, n, Segment.Salt());
        return record;
    }

    /// <summary>
    /// The sum of each record's header, wherever one stands and its number and length could be ones: every number below a record's own is
    /// answered, so one of millions costs millions of answers, and only who owns the disk can make the sum for it.
    /// </summary>
    private static void Repair(Span<byte> content)
    {
        Span<byte> magic = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, RecordHeader.Magic);
        for (var at = 0; content[at..].IndexOf(magic) is var next and >= 0; at += magic.Length)
        {
            at += next;
            if (content.Length - at >= RecordHeader.Size && BinaryPrimitives.ReadUInt32LittleEndian(content[(at + 8)..]) < 1024
                && BinaryPrimitives.ReadUInt32LittleEndian(content[(at + 4)..]) >= BatchHeader.Size)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(content[(at + 28)..], Crc32C.Compute(content.Slice(at, 28), Segment.Salt()));
            }
        }
    }
}
