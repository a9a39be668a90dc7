using System.Security.Cryptography;
using Streams.Schema;

namespace Streams.Fuzz.Targets;

/// <summary>A batch from its bytes to the block that would be inserted: the gateway's strip, the worker's decoder, digest and encoder.</summary>
internal sealed class BatchFuzz : FuzzTarget
{
    private readonly DecodedBatch _batch = new();
    private readonly Sha _sha = new();

    public override string Name => "batch";

    public override int MaxBytes => 64 * 1024;

    /// <summary>The body that the header declares, at most 4 MiB, and as much again for its columns.</summary>
    public override long ExtraAllocation => 3L * Limits.MaxDecodedBytes;

    public override IEnumerable<byte[]> Seeds() => Catalogue.Classes.SelectMany(eventClass =>
        new[] { BatchCompression.None, BatchCompression.Lz4, BatchCompression.Zstd }.Select(compression => SampleBatch.Make(eventClass, compression)));

    public override int Run(ReadOnlySpan<byte> input)
    {
        var stripped = BatchSequence.LengthWithoutPadding(input);
        Must(stripped <= input.Length, "more batches than bytes");
        if (stripped > 0)
        {
            var walked = 0;
            foreach (var part in Walk(input[..stripped].ToArray()))
            {
                walked += part;
            }

            Must(walked == stripped, "the strip and the walk differ");
        }

        if (!BatchDecoder.TryDecode(input, _batch, out var error))
        {
            BatchDecoder.TryReadLedger(input, _batch);
            return 1 + (int)error.Kind + (error.ColumnId << 8);
        }

        Span<byte> header = stackalloc byte[BatchHeader.Size];
        _batch.Header.Write(header);
        Must(header.SequenceEqual(input[..BatchHeader.Size]), "a header has two forms");
        Must(_batch.Ledger.Entries.ToArray().Sum(entry => (long)entry.Rows) == _batch.Rows, "the ledger has other rows");
        for (var ordinal = 0; ordinal < _batch.Class.Columns.Count; ordinal++)
        {
            if (_batch.Has(ordinal))
            {
                Check(_batch.Column(ordinal), _batch.Rows);
            }
        }

        Span<byte> digest = stackalloc byte[BatchDigest.Size];
        BatchDigest.TryOf(_batch, _sha, digest);
        return 10_000 + (_batch.Class.Id << 4) + Math.Min(_batch.IgnoredColumns, 3) + (_batch.MissingColumns << 16);
    }

    private static List<int> Walk(byte[] message)
    {
        var parts = new List<int>();
        foreach (var part in new BatchSequence(message))
        {
            parts.Add(part.Length);
        }

        return parts;
    }

    private static void Check(DecodedColumn column, int rows)
    {
        if (column.Type is ColumnType.String or ColumnType.Dictionary)
        {
            var strings = 0;
            foreach (var text in column.Strings())
            {
                Must(text.Length <= Limits.MaxStringBytes, "a string is too long");
                strings++;
            }

            Must(strings == (column.Type == ColumnType.String ? rows : column.KeyCount), "strings are missing");
        }

        if (column.Type == ColumnType.Dictionary)
        {
            Must(column.Indices.Length == rows * column.IndexWidth, "indices are missing");
            for (var row = 0; row < rows; row++)
            {
                var at = column.Indices[(row * column.IndexWidth)..];
                var index = column.IndexWidth switch { 1 => at[0], 2 => BitConverter.ToUInt16(at), _ => BitConverter.ToUInt32(at) };
                Must(index < column.KeyCount, "an index without a key");
            }
        }
    }

    private sealed class Sha : ISha256
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);

        public void Finish(Span<byte> digest) => _hash.GetHashAndReset(digest);
    }
}
