using System.Buffers.Binary;
using FsCheck.Xunit;

namespace Streams.Schema.Tests;

/// <summary>Whatever the bytes, decoding returns, and what it accepts can be walked to its end.</summary>
public sealed class HostileBytesTests
{
    private static readonly byte[][] Valid =
    [
        AllTypes.Batch(40, BatchCompression.None),
        AllTypes.Batch(40, BatchCompression.Lz4),
        AllTypes.Batch(40, BatchCompression.Zstd),
        AllTypes.Batch(0, BatchCompression.None),
    ];

    [Property(MaxTest = 3000)]
    public void Changed_bytes_never_throw(int which, (ushort At, byte Value)[] changes)
    {
        var bytes = Valid[(which & int.MaxValue) % Valid.Length].ToArray();
        foreach (var (at, value) in changes)
        {
            bytes[at % bytes.Length] = value;
        }

        Decode(bytes);
    }

    [Property(MaxTest = 2000)]
    public void Changed_column_bytes_never_throw((ushort At, byte Value)[] changes)
    {
        // Only the body: the header stays good, so that the checks of columns are reached every time.
        var bytes = Valid[0].ToArray();
        Assert.True(BatchHeader.TryRead(bytes, out var header, out _));
        var body = BatchHeader.Size + header.LedgerLength;
        foreach (var (at, value) in changes)
        {
            bytes[body + (at % header.StoredLength)] = value;
        }

        Decode(bytes);
    }

    [Property(MaxTest = 500)]
    public void Random_bytes_never_throw(byte[] bytes)
    {
        Decode(bytes);
        Decode([BatchHeader.Magic, BatchHeader.FormatVersion, .. bytes, .. bytes, .. bytes, .. new byte[88]]);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        foreach (var valid in Valid)
        {
            for (var length = 0; length < valid.Length; length++)
            {
                Assert.False(Decode(valid[..length]));
            }
        }
    }

    [Fact]
    public void Every_single_byte_flip_in_the_structure_returns()
    {
        foreach (var valid in Valid)
        {
            for (var i = 0; i < Math.Min(valid.Length, 400); i++)
            {
                for (var bit = 0; bit < 8; bit++)
                {
                    var bytes = valid.ToArray();
                    bytes[i] ^= (byte)(1 << bit);
                    Decode(bytes);
                }
            }
        }
    }

    [Fact]
    public void A_lie_about_the_decoded_size_costs_one_bounded_buffer()
    {
        var bytes = Valid[2].ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(60), Limits.MaxDecodedBytes);
        using var batch = new DecodedBatch();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out var error));
        Assert.Equal(BatchErrorKind.Decompression, error.Kind);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Limits.MaxDecodedBytes + 65_536);

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(60), Limits.MaxDecodedBytes + 1);
        before = GC.GetAllocatedBytesForCurrentThread();
        var decoded = BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out error);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.False(decoded);
        Assert.Equal(BatchErrorKind.DecodedLength, error.Kind);
        Assert.Equal(0, allocated);
    }

    [Theory]
    [InlineData(0, 0, BatchErrorKind.BadMagic)]
    [InlineData(1, 3, BatchErrorKind.UnknownVersion)]
    [InlineData(2, 9, BatchErrorKind.BadCompression)]
    [InlineData(3, 6, BatchErrorKind.BadPriority)]
    [InlineData(50, 2, BatchErrorKind.TooManyRows)]
    [InlineData(52, 0, BatchErrorKind.NoLedgerEntry)]
    [InlineData(55, 2, BatchErrorKind.TooManyColumns)]
    [InlineData(58, 9, BatchErrorKind.LedgerLength)]
    [InlineData(66, 9, BatchErrorKind.StoredLength)]
    [InlineData(68, 1, BatchErrorKind.ReservedNotZero)]
    [InlineData(87, 1, BatchErrorKind.ReservedNotZero)]
    [InlineData(88 + 4, 99, BatchErrorKind.LedgerUnbalanced)]
    public void Each_bound_has_its_own_error(int offset, byte value, BatchErrorKind expected)
    {
        var bytes = Valid[0].ToArray();
        bytes[offset] = value;
        using var batch = new DecodedBatch();
        Assert.False(BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out var error));
        Assert.Equal(expected, error.Kind);
    }

    [Fact]
    public void A_class_from_the_future_is_unknown_and_not_corrupt()
    {
        using var batch = new DecodedBatch();
        Assert.False(BatchDecoder.TryDecode((ReadOnlySpan<byte>)Valid[0], batch, out var error)); // 60000 is not in the catalogue
        Assert.Equal(BatchErrorKind.UnknownClass, error.Kind);
        Assert.True(error.IsUnknown);
    }

    private static bool Decode(ReadOnlySpan<byte> bytes)
    {
        using var batch = new DecodedBatch();
        if (!BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out var error))
        {
            Assert.NotEqual(BatchErrorKind.None, error.Kind);
            return false;
        }

        for (var i = 0; i < AllTypes.Class.Columns.Count; i++)
        {
            if (!batch.Has(i))
            {
                continue;
            }

            var column = batch.Column(i);
            if (column.Type == ColumnType.Dictionary)
            {
                Assert.Equal(batch.Rows, RowAssert.Keys(column).Count);
            }
            else if (column.Type == ColumnType.String)
            {
                Assert.Equal(batch.Rows, RowAssert.Strings(column).Count);
            }
            else
            {
                Assert.Equal(batch.Rows * ColumnTypes.Width(column.Type), column.Data.Length);
            }
        }

        return true;
    }
}
