using System.Text;
using FsCheck.Xunit;

namespace Streams.Schema.Tests.Encodings;

public sealed class ColumnEncodingTests
{
    public enum Shape
    {
        Random,
        Constant,
        Rising,
        Falling,
        Few,
        Wrapping,
    }

    [Property(MaxTest = 400)]
    public void Fixed_values_come_back_in_every_encoding(Shape shape, ushort seed, byte pick, ushort length)
    {
        int width = new[] { 2, 4, 8, 16 }[pick % 4];
        var rows = 1 + (length % 1500);
        var values = Values(shape, new Random(seed), width, rows);
        var written = new byte[values.Length];
        var read = new byte[values.Length];

        foreach (var differences in width == 16 ? [false] : new[] { false, true })
        {
            PlaneCodec.Encode(values, width, differences, written);
            PlaneCodec.Decode(written, width, differences, read);
            Assert.Equal(values, read);
        }

        var table = width == 2 ? 0 : TableCodec.TryEncode(values, width, new KeyTable(), long.MaxValue, written);
        if (table > 0)
        {
            read.AsSpan().Clear();
            Assert.Equal(BatchErrorKind.None, TableCodec.Decode(written.AsSpan(0, table), 1, width, read).Kind);
            Assert.Equal(values, read);
        }

        Assert.Equal(shape is Shape.Few or Shape.Constant && width > 2 && rows >= 16, table > 0 && rows >= 16);
    }

    [Property(MaxTest = 400)]
    public void Strings_come_back_as_words(string?[] pool, byte[] picks)
    {
        var words = pool.Select(word => Encoding.UTF8.GetBytes(word ?? "")).Append([]).ToArray();
        var strings = picks.Chunk(3).Select(row => Join(row.Select(pick => words[pick % words.Length]))).ToList();
        var plain = Column(strings);
        var written = new byte[(plain.Length * 4) + 100];
        var cuts = new BlockCuts(new int[8], 0);

        var length = WordEncoder.TryEncode(plain, strings.Count, new KeyTable(), written, ref cuts);

        Assert.True(length > 0);
        Assert.Equal(BatchErrorKind.None, WordDecoder.PlainLength(written, 1, out var plainLength).Kind);
        Assert.Equal(plain.Length, plainLength);
        var read = new byte[plain.Length];
        Assert.Equal(default, WordDecoder.Decode(written.AsSpan(0, length), 1, strings.Count, read));
        Assert.Equal(plain, read);
    }

    [Fact]
    public void What_has_no_room_as_words_stays_as_it_is()
    {
        var plain = Column([.. Enumerable.Range(0, 50).Select(i => Encoding.UTF8.GetBytes(i.ToString("x4", null)))]);
        for (var room = 0; room <= plain.Length; room++)
        {
            var cuts = new BlockCuts(new int[8], 0);
            Assert.Equal(0, WordEncoder.TryEncode(plain, 50, new KeyTable(), new byte[room], ref cuts));
            Assert.Empty(cuts.Found.ToArray());
        }
    }

    [Fact]
    public void More_words_than_references_name_stay_as_they_are()
    {
        var strings = new List<byte[]>();
        for (var i = 0; i < WordEncoder.MaxNewWords; i++)
        {
            strings.Add(Encoding.UTF8.GetBytes($"a-long-and-common-beginning-{i}"));
        }

        var room = new byte[8 * 1024 * 1024];
        var cuts = new BlockCuts(new int[8], 0);
        Assert.True(WordEncoder.TryEncode(Column(strings[..^2]), strings.Count - 2, new KeyTable(), room, ref cuts) > 0);
        Assert.Equal(0, WordEncoder.TryEncode(Column(strings), strings.Count, new KeyTable(), room, ref cuts));
    }

    [Fact]
    public void Each_column_gets_what_is_best_for_it()
    {
        var batch = EncodedRows.Batch(BatchCompression.Zstd, 0);

        Assert.Equal(EncodedRows.Encodings, EncodedRows.EncodingsOf(batch));
    }

    [Fact]
    public void A_reader_of_an_older_catalogue_gets_the_first_format()
    {
        var batch = EncodedRows.Batch(BatchCompression.Zstd, 0, Catalogue.EncodingsSince - 1);
        var encoded = EncodedRows.Batch(BatchCompression.Zstd, 0);

        Assert.Equal((BatchHeader.FormatVersion, BatchHeader.EncodedFormatVersion), (batch[1], encoded[1]));
        Assert.All(EncodedRows.EncodingsOf(batch), encoding => Assert.Equal(ColumnEncoding.Plain, encoding));
        Assert.InRange(encoded.Length, 1, batch.Length * 9 / 10);
        using var decoded = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(batch, AllTypes.Class, decoded, out var error), error.ToString());
        RowAssert.Equal([.. Enumerable.Range(0, EncodedRows.Count).Select(EncodedRows.At)], decoded);
    }

    [Fact]
    public void The_room_that_a_batch_takes_is_that_of_its_columns_as_they_are()
    {
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(EncodedRows.Batch(BatchCompression.None, 0), AllTypes.Class, batch, out _));
        var plain = batch.Header.DecodedLength;
        Assert.Equal(plain, batch.BodyLength);

        Assert.True(BatchDecoder.TryDecode(EncodedRows.Batch(BatchCompression.Zstd, 0), AllTypes.Class, batch, out _));
        Assert.Equal(plain, batch.BodyLength);
        Assert.InRange(batch.Header.DecodedLength, 1, plain - 1);
    }

    [Fact]
    public void The_digest_is_of_the_values_and_not_of_their_encoding()
    {
        using var hash = new Proof.RuntimeSha256();
        var digests = new[] { EncodedRows.Batch(BatchCompression.Zstd, 0), EncodedRows.Batch(BatchCompression.Zstd, 0, 3), EncodedRows.Batch(BatchCompression.None, 0) }.Select(bytes =>
        {
            using var batch = new DecodedBatch();
            Assert.True(BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out _));
            var digest = new byte[BatchDigest.Size];
            Assert.True(BatchDigest.TryOf(batch, hash, digest));
            return Convert.ToHexString(digest);
        });

        Assert.Single(digests.Distinct());
    }

    private static byte[] Values(Shape shape, Random random, int width, int rows)
    {
        var values = new byte[rows * width];
        random.NextBytes(values);
        var first = values[..width];
        var few = new byte[4 * width];
        random.NextBytes(few);
        for (var row = 0; row < rows; row++)
        {
            var value = values.AsSpan(row * width, width);
            switch (shape)
            {
                case Shape.Constant: first.CopyTo(value); break;
                case Shape.Few: few.AsSpan(random.Next(4) * width, width).CopyTo(value); break;
                case Shape.Rising or Shape.Falling or Shape.Wrapping:
                    // The narrow end of a 64-bit number, around its middle, up, down, or across zero.
                    var number = shape == Shape.Rising ? 1_000_000 + (row * 3L) : shape == Shape.Falling ? 1_000_000 - (row * 5L) : row - (rows / 2);
                    BitConverter.GetBytes(number).AsSpan(0, Math.Min(8, width)).CopyTo(value);
                    break;
            }
        }

        return values;
    }

    private static byte[] Join(IEnumerable<byte[]> words) => [.. words.SelectMany((word, i) => i == 0 ? word : word.Prepend((byte)0))];

    private static byte[] Column(List<byte[]> strings)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        foreach (var text in strings)
        {
            writer.Write7BitEncodedInt(text.Length);
            writer.Write(text);
        }

        return stream.ToArray();
    }
}
