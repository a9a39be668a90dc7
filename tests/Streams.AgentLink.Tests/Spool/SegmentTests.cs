using Streams.AgentLink.Spool;
using Streams.Schema;

namespace Streams.AgentLink.Tests.Spool;

public sealed class SegmentTests
{
    private const int Batches = 4;
    private const uint Rows = 10;
    private static readonly SegmentName Name = new(Epoch.FromHalves(1, 2), 3, PriorityClass.Event);

    [Fact]
    public void ACutAtEveryByteLosesTheBatchThatItCutAndNoOther()
    {
        using var folder = new SpoolFolder();
        var (bytes, batches, ends) = Whole(folder);
        var path = Path.Combine(folder.Path, Name.FileName);
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            var whole = ends.Count(end => end <= length);
            Assert.Equal(batches.Take(whole), ReadAll(path, out _));
        }
    }

    [Fact]
    public void AHoleOfZerosAtEveryTailLosesNothingBeforeIt()
    {
        // After a loss of power a file may have its length and not its bytes.
        using var folder = new SpoolFolder();
        var (bytes, batches, ends) = Whole(folder);
        var path = Path.Combine(folder.Path, Name.FileName);
        for (var length = SegmentHeader.Size; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, [.. bytes[..length], .. new byte[bytes.Length - length]]);
            var read = ReadAll(path, out _);
            Assert.InRange(read.Count, ends.Count(end => end <= length), Batches);
            AssertSameOrTombstone(batches, read, mayChange: 1);
        }
    }

    [Fact]
    public void AFlippedBitAtEveryByteCostsAtMostTheBatchThatItIsIn()
    {
        using var folder = new SpoolFolder();
        var (bytes, batches, ends) = Whole(folder);
        var path = Path.Combine(folder.Path, Name.FileName);
        for (var at = 0; at < bytes.Length; at++)
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(path, damaged);
            var read = ReadAll(path, out var corrupt);

            // The header of the last record says that there is one: with it the batch is a torn tail.
            var lastRecord = ends[Batches - 2];
            var inLastHeader = at >= lastRecord && at < lastRecord + RecordHeader.Size;
            Assert.Equal(inLastHeader ? Batches - 1 : Batches, read.Count);
            var inBatches = at >= SegmentHeader.Size;
            Assert.Equal(inBatches && !inLastHeader ? 1UL : 0, corrupt);
            AssertSameOrTombstone(batches, read, mayChange: inBatches ? 1 : 0);

            // Where header and ledger are whole, nothing goes uncounted.
            var record = ends.FindIndex(end => at < end);
            var start = record == 0 ? SegmentHeader.Size : ends[record - 1];
            if (at >= start + RecordHeader.Size + BatchHeader.Size + (2 * (LedgerEntry.Size + LedgerEntry.CauseSize)))
            {
                Assert.Equal((Rows * 2) + 2, SpoolBatch.Sum(read[record]).Lost);
                Assert.Equal(Rows * 2, SpoolBatch.Sum(read[record]).Causes[LossCause.SpoolCorrupt]);
            }
        }
    }

    [Fact]
    public void EvictionKeepsNumbersAndLedgerAndWhatIsCommittedIsNotEvicted()
    {
        using var folder = new SpoolFolder();
        var (_, batches, _) = Whole(folder, body: 400);
        var path = Path.Combine(folder.Path, Name.FileName);
        var counters = new SpoolCounters();
        var segment = Segment.Open(path, Name, counters, readOnly: false)!;
        segment.Seal();
        segment.Commit(1);
        Assert.True(segment.TryEvict());
        Assert.Equal((3UL, 3UL * Rows * 2), (counters.BatchesEvicted, counters.RowsEvicted));
        Assert.True(segment.Bytes < batches.Sum(b => b.Length));
        segment.Dispose();

        var read = ReadAll(path, out _);
        Assert.Equal(Batches, read.Count);
        for (var n = 0; n < Batches; n++)
        {
            Assert.Equal(new BatchName(Name.Epoch, Name.Lane, (uint)n), HeaderOf(read[n]).Name);
            var cause = n < 1 ? LossCause.ServerLost : LossCause.SpoolEvicted;
            Assert.Equal(Rows * 2, SpoolBatch.Sum(read[n]).Causes[cause]);
            Assert.Equal(2UL, SpoolBatch.Sum(read[n]).Causes[LossCause.RingFull]);
        }
    }

    [Fact]
    public void ASegmentOfANewerBuildIsLeftAlone()
    {
        using var folder = new SpoolFolder();
        var (bytes, _, _) = Whole(folder);
        var path = Path.Combine(folder.Path, Name.FileName);
        bytes[8] = 2;
        BitConverter.TryWriteBytes(bytes.AsSpan(60), Crc32C.Compute(bytes.AsSpan(0, 60)));
        File.WriteAllBytes(path, bytes);
        using (var store = SpoolStore.Open(folder.Path, 1 << 24, TimeProvider.System))
        {
            Assert.Empty(store.Found);
        }

        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    [Fact]
    public void ASpoolHasOneProcess()
    {
        using var folder = new SpoolFolder();
        using var store = SpoolStore.Open(folder.Path, 1 << 24, TimeProvider.System);
        var refused = Assert.Throws<SpoolException>(() => SpoolStore.Open(folder.Path, 1 << 24, TimeProvider.System));
        Assert.Contains("another process uses the spool", refused.Message, StringComparison.Ordinal);
    }

    private static (byte[] Bytes, List<byte[]> Batches, List<int> Ends) Whole(SpoolFolder folder, int body = 40)
    {
        var batches = new List<byte[]>();
        var ends = new List<int>();
        using (var segment = Segment.Create(folder.Path, Name, new SpoolCounters(), 0))
        {
            for (var n = 0u; n < Batches; n++)
            {
                var record = SpoolBatch.Record(
                    new BatchName(Name.Epoch, Name.Lane, n), Name.Priority, 1 + (n * 100), Rows, body + ((int)n * 17));
                batches.Add(record[RecordHeader.Size..]);
                Assert.True(segment.TryAppend(record));
                ends.Add((int)segment.Bytes);
            }
        }

        return (File.ReadAllBytes(Path.Combine(folder.Path, Name.FileName)), batches, ends);
    }

    private static List<byte[]> ReadAll(string path, out ulong corrupt)
    {
        var counters = new SpoolCounters();
        using var segment = Segment.Open(path, Name, counters, readOnly: true)!;
        var read = new List<byte[]>();
        for (var n = 0u; n < segment.Next; n++)
        {
            var batch = new byte[4096];
            var length = 0;
            for (var count = 0; count == 0;)
            {
                // The length may become another once, when the batch turns out to be damaged.
                var expected = segment.LengthOf(n);
                length = segment.CopyFrom(n, batch.AsSpan(0, expected), out count);
                Assert.True(length <= expected);
            }

            read.Add(batch[..length]);
        }

        corrupt = counters.BatchesCorrupt;
        return read;
    }

    private static void AssertSameOrTombstone(List<byte[]> batches, List<byte[]> read, int mayChange)
    {
        var changed = 0;
        for (var n = 0; n < read.Count; n++)
        {
            if (!read[n].AsSpan().SequenceEqual(batches[n]))
            {
                changed++;
                var header = HeaderOf(read[n]);
                Assert.Equal((new BatchName(Name.Epoch, Name.Lane, (uint)n), Name.Priority, 0, 0),
                    (header.Name, header.Priority, header.Rows, header.Columns));
                SpoolBatch.Sum(read[n]);
            }
        }

        Assert.InRange(changed, 0, mayChange);
    }

    private static BatchHeader HeaderOf(byte[] batch)
    {
        Assert.True(BatchHeader.TryRead(batch, out var header, out _));
        return header;
    }
}
