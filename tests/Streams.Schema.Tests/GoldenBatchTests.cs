using System.Text.Json;

namespace Streams.Schema.Tests;

/// <summary>Batches that were written by released formats are decoded for ever. The files are never written again, only added.</summary>
public sealed class GoldenBatchTests
{
    [Fact]
    public void The_first_format_is_still_read()
    {
        var description = JsonDocument.Parse(File.ReadAllBytes(Repository.Path("tests", "vectors", "batch-v1.json"))).RootElement;
        var bytes = File.ReadAllBytes(Repository.Path("tests", "vectors", "batch-v1.bin"));
        var expected = description.GetProperty("rows").EnumerateArray().Select(Row).ToList();
        var rows = 0;
        var batches = 0;
        var sequence = new BatchSequence(bytes);
        using var batch = new DecodedBatch();
        while (sequence.MoveNext())
        {
            // The same rows three times: uncompressed, LZ4, zstd.
            Assert.True(BatchDecoder.TryDecode(sequence.Current.Span, AllTypes.Class, batch, out var error), error.ToString());
            Assert.Equal((BatchCompression)batches, batch.Header.Compression);
            Assert.Equal(new BatchName(AllTypes.TestEpoch(1), 7, (uint)batches), batch.Header.Name);
            RowAssert.Equal(expected, batch);
            rows += batch.Rows;
            batches++;
        }

        Assert.Equal(BatchErrorKind.None, sequence.Error.Kind);
        Assert.Equal(3, batches);
        Assert.Equal(3 * expected.Count, rows);
    }

    [Fact]
    public void Encoded_columns_of_the_second_format_are_still_read()
    {
        var path = Repository.Path("tests", "vectors", "batch-v2.bin");
        var expected = Enumerable.Range(0, EncodedRows.Count).Select(EncodedRows.At).ToList();
        if (!File.Exists(path) && Environment.GetEnvironmentVariable("STREAMS_UPDATE") == "1")
        {
            File.WriteAllBytes(path, [.. EncodedRows.Batch(BatchCompression.Lz4, 0), .. EncodedRows.Batch(BatchCompression.Zstd, 1)]);
            File.WriteAllText(Repository.Path("tests", "vectors", "batch-v2.json"), EncodedRows.Description());
        }

        var description = JsonDocument.Parse(File.ReadAllBytes(Repository.Path("tests", "vectors", "batch-v2.json"))).RootElement;
        Assert.Equal(expected.Select(row => row.Text), description.GetProperty("rows").EnumerateArray().Select(row => Row(row).Text));
        var batches = 0;
        var sequence = new BatchSequence(File.ReadAllBytes(path));
        using var batch = new DecodedBatch();
        while (sequence.MoveNext())
        {
            Assert.True(BatchDecoder.TryDecode(sequence.Current.Span, AllTypes.Class, batch, out var error), error.ToString());
            Assert.Equal((true, 1 + batches), (batch.Header.IsEncoded, (int)batch.Header.Compression));
            Assert.Equal(EncodedRows.Encodings, EncodedRows.EncodingsOf(sequence.Current.Span));
            RowAssert.Equal(expected, batch);
            batches++;
        }

        Assert.Equal((BatchErrorKind.None, 2), (sequence.Error.Kind, batches));
    }

    [Fact]
    public void The_builder_still_writes_the_uncompressed_form_byte_for_byte()
    {
        // Compressed bytes may change with the library; these may not.
        var golden = File.ReadAllBytes(Repository.Path("tests", "vectors", "batch-v1.bin"));
        var written = AllTypes.Batch(12, BatchCompression.None);
        golden.AsSpan(80, 2).CopyTo(written.AsSpan(80)); // the catalogue of the build that wrote it
        Assert.Equal(written, golden[..written.Length]);
    }

    private static AllTypes.Row Row(JsonElement row) => new(
        row.GetProperty("time").GetInt64(),
        row.GetProperty("seq").GetUInt64(),
        row.GetProperty("u8").GetByte(),
        row.GetProperty("u16").GetUInt16(),
        row.GetProperty("u32").GetUInt32(),
        row.GetProperty("u64").GetUInt64(),
        row.GetProperty("f64").GetDouble(),
        Convert.FromHexString(row.GetProperty("text_hex").GetString()!),
        Convert.FromHexString(row.GetProperty("key_hex").GetString()!));
}
