using System.Buffers.Binary;
using FsCheck.Xunit;

namespace Streams.Schema.Tests.Encodings;

/// <summary>Encoded columns that say what is not so.</summary>
public sealed class HostileEncodingTests
{
    private const int Words = 17; // the descriptor of the String column
    private const int Table = 3;
    private static readonly byte[] Valid = EncodedRows.Unpacked(EncodedRows.Batch(BatchCompression.Lz4, 0));
    private static readonly int Body = BatchHeader.Size + LedgerEntry.Size;

    [Property(MaxTest = 5000)]
    public void Changed_bytes_never_throw((ushort At, byte Value)[] changes)
    {
        var bytes = Valid.ToArray();
        foreach (var (at, value) in changes)
        {
            bytes[Body + (at % (bytes.Length - Body))] = value;
        }

        Decode(bytes, walk: true);
    }

    [Property(MaxTest = 2000)]
    public void Changed_words_never_throw((ushort At, byte Value)[] changes)
    {
        var bytes = Valid.ToArray();
        var column = Column(bytes, Words);
        foreach (var (at, value) in changes)
        {
            bytes[column.Start.Value + (at % (column.End.Value - column.Start.Value))] = value;
        }

        Decode(bytes, walk: true);
    }

    [Fact]
    public void Every_byte_of_every_list_of_words_returns()
    {
        var column = Column(Valid, Words);
        for (var at = column.Start.Value; at < column.End.Value; at++)
        {
            foreach (var value in new byte[] { 0, 1, 0x7F, 0x80, 0xFF })
            {
                var bytes = Valid.ToArray();
                bytes[at] = value;
                Decode(bytes, walk: true);
            }
        }
    }

    [Fact]
    public void An_encoding_from_the_future_is_unknown_and_not_corrupt()
    {
        var bytes = Valid.ToArray();
        bytes[Body + 3] = 5;

        var error = Decode(bytes);

        Assert.Equal((BatchErrorKind.UnknownEncoding, true), (error.Kind, error.IsUnknown));
    }

    [Fact]
    public void The_first_format_has_no_encodings()
    {
        var bytes = Valid.ToArray();
        bytes[1] = BatchHeader.FormatVersion;

        Assert.Equal(BatchErrorKind.ReservedNotZero, Decode(bytes).Kind);
    }

    [Theory]
    [InlineData(Words, ColumnEncoding.Planes)]
    [InlineData(Words, ColumnEncoding.Table)]
    [InlineData(5, ColumnEncoding.Planes)] // UInt8
    [InlineData(6, ColumnEncoding.Table)] // UInt16
    [InlineData(16, ColumnEncoding.DeltaPlanes)] // IPv6
    [InlineData(18, ColumnEncoding.Words)] // Dictionary
    public void An_encoding_must_be_one_of_the_type(int descriptor, object encoding)
    {
        var bytes = Valid.ToArray();
        bytes[Body + (descriptor * ColumnDescriptor.Size) + 3] = (byte)(ColumnEncoding)encoding;

        Assert.Equal(BatchErrorKind.ColumnEncoding, Decode(bytes).Kind);
    }

    [Theory]
    [InlineData(0, 4_200_000u, BatchErrorKind.DecodedLength)] // plain length
    [InlineData(0, uint.MaxValue, BatchErrorKind.DecodedLength)]
    [InlineData(0, 10u, BatchErrorKind.ColumnEncoding)]
    [InlineData(4, 59u, BatchErrorKind.ColumnEncoding)] // words: fewer than rows
    [InlineData(4, uint.MaxValue, BatchErrorKind.ColumnEncoding)]
    [InlineData(8, 60_000u, BatchErrorKind.ColumnEncoding)] // new words
    [InlineData(8, 0u, BatchErrorKind.ColumnEncoding)]
    public void A_list_of_words_cannot_say_more_than_it_has(int offset, uint value, BatchErrorKind expected)
    {
        var bytes = Valid.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(Column(bytes, Words).Start.Value + offset), value);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Decode(bytes);

        Assert.Equal(expected, error.Kind);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024 * 1024);
    }

    [Fact]
    public void An_index_needs_its_value()
    {
        var bytes = Valid.ToArray();
        var column = Column(bytes, Table);
        Assert.Equal(2, bytes[column.Start]); // three values
        bytes[column.End.Value - 1] = 3;

        var error = Decode(bytes);

        Assert.Equal((BatchErrorKind.ColumnEncoding, 3L, 2L), (error.Kind, error.Value, error.Bound));
    }

    private static Range Column(byte[] bytes, int descriptor)
    {
        var start = Body + (EncodedRows.Encodings.Count * ColumnDescriptor.Size);
        for (var i = 0; i < descriptor; i++)
        {
            start += (int)ColumnDescriptor.Read(bytes.AsSpan(Body + (i * ColumnDescriptor.Size))).Length;
        }

        return start..(start + (int)ColumnDescriptor.Read(bytes.AsSpan(Body + (descriptor * ColumnDescriptor.Size))).Length);
    }

    private static BatchError Decode(byte[] bytes, bool walk = false)
    {
        using var batch = new DecodedBatch();
        if (BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out var error) && walk && batch.Has(AllTypes.Ordinal(ColumnType.String)))
        {
            Assert.Equal(batch.Rows, RowAssert.Strings(batch.Column(AllTypes.Ordinal(ColumnType.String))).Count);
        }

        return error;
    }
}
