using System.Security.Cryptography;

namespace Streams.Schema.Tests.Proof;

public sealed class BatchDigestTests : IDisposable
{
    private static readonly BatchName Name = new(AllTypes.TestEpoch(1), 7, 3);
    private static readonly BatchStamp Stamp = new(AllTypes.TestEpoch(2), 42);
    private readonly RuntimeSha256 _hash = new();

    [Fact]
    public void It_is_the_hash_of_the_canonical_encoding()
    {
        using var builder = Builder(100);
        var rows = Enumerable.Range(0, 100).Select(AllTypes.RowAt).ToArray();
        Assert.Equal(SHA256.HashData(Canonical.Encode(Name, Stamp.SensorEpoch, rows)), Of(builder));
    }

    [Theory]
    [InlineData(BatchCompression.None)]
    [InlineData(BatchCompression.Lz4)]
    [InlineData(BatchCompression.Zstd)]
    public void A_sealed_batch_has_the_digest_of_its_builder(BatchCompression compression)
    {
        using var builder = Builder(700); // dictionary indices of two bytes
        var bytes = AllTypes.Seal(builder, compression, Name.N);
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out _));
        var digest = new byte[BatchDigest.Size];
        Assert.True(BatchDigest.TryOf(batch, _hash, digest));
        Assert.Equal(Of(builder), digest);
    }

    [Fact]
    public void Everything_in_it_matters()
    {
        using var builder = Builder(3);
        using var fewer = Builder(2);
        using var swapped = Builder(1, 0, 2);
        byte[][] digests =
        [
            Of(builder),
            Of(builder, Name with { N = 4 }),
            Of(builder, Name with { Lane = 8 }),
            Of(builder, Name with { Epoch = AllTypes.TestEpoch(9) }),
            Of(builder, stamp: Stamp with { SensorEpoch = AllTypes.TestEpoch(9) }),
            Of(fewer),
            Of(swapped),
            .. Enumerable.Range(0, AllTypes.Class.Columns.Count).Select(OneColumnChanged),
        ];
        Assert.Equal(digests.Length, digests.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public void A_batch_without_rows_has_the_digest_of_its_header()
    {
        using var builder = Builder();
        builder.TryAddLedger(0, 1, 5, 0, [new LossCount(LossCause.RingFull, 5)]);
        var bytes = new byte[builder.MaxSealedBytes];
        builder.Seal(Name, Stamp, BatchCompression.None, bytes);
        Assert.True(BatchHeader.TryRead(bytes, out var header, out _));
        var digest = new byte[BatchDigest.Size];
        BatchDigest.OfHeader(header, _hash, digest);
        Assert.Equal(Of(builder), digest);
    }

    [Fact]
    public void A_builder_for_digests_takes_more_rows_than_one_that_seals()
    {
        using var builder = BatchBuilder.ForDigest(AllTypes.Class);
        var rows = 0;
        for (; rows < Limits.MaxRows && builder.TryBeginRow(20); rows++)
        {
            builder.TrySetDictionary(AllTypes.Ordinal(ColumnType.Dictionary), "key"u8);
            builder.EndRow();
        }

        Assert.Equal(Limits.MaxRows, rows);
        Assert.True(builder.EstimatedBytes > Limits.MaxDecodedBytes);
    }

    [Fact]
    public void It_allocates_nothing()
    {
        using var builder = Builder(500);
        var digest = new byte[BatchDigest.Size];
        builder.Digest(Name, Stamp, _hash, digest);
        var before = GC.GetAllocatedBytesForCurrentThread();
        builder.Digest(Name, Stamp, _hash, digest);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_chain_covers_every_digest_and_its_number()
    {
        var chain = new byte[DigestChain.Size];
        DigestChain.Step(chain, 0, Enumerable.Repeat((byte)1, 32).ToArray(), _hash);
        DigestChain.Step(chain, 1, Enumerable.Repeat((byte)2, 32).ToArray(), _hash);
        byte[] first = SHA256.HashData([.. new byte[32], 0, 0, 0, 0, .. Enumerable.Repeat((byte)1, 32)]);
        Assert.Equal(SHA256.HashData([.. first, 1, 0, 0, 0, .. Enumerable.Repeat((byte)2, 32)]), chain);
    }

    public void Dispose() => _hash.Dispose();

    private static BatchBuilder Builder(int rows) => Builder([.. Enumerable.Range(0, rows)]);

    private static BatchBuilder Builder(params int[] rows)
    {
        var builder = new BatchBuilder(AllTypes.Class);
        foreach (var row in rows)
        {
            AllTypes.AddRow(builder, AllTypes.RowAt(row));
        }

        return builder;
    }

    private byte[] Of(BatchBuilder builder, BatchName? name = null, BatchStamp? stamp = null)
    {
        var digest = new byte[BatchDigest.Size];
        builder.Digest(name ?? Name, stamp ?? Stamp, _hash, digest);
        return digest;
    }

    private byte[] OneColumnChanged(int ordinal)
    {
        using var builder = new BatchBuilder(AllTypes.Class);
        for (var row = 0; row < 3; row++)
        {
            Assert.True(builder.TryBeginRow(20));
            if (row == 1)
            {
                SetOne(builder, ordinal, AllTypes.Class.Columns[ordinal].Type);
            }

            builder.EndRow();
        }

        return Of(builder);
    }

    private static void SetOne(BatchBuilder builder, int ordinal, ColumnType type)
    {
        switch (type)
        {
            case ColumnType.UInt8: builder.SetUInt8(ordinal, 1); break;
            case ColumnType.UInt16: builder.SetUInt16(ordinal, 1); break;
            case ColumnType.UInt32: builder.SetUInt32(ordinal, 1); break;
            case ColumnType.UInt64: builder.SetUInt64(ordinal, 1); break;
            case ColumnType.Int8: builder.SetInt8(ordinal, 1); break;
            case ColumnType.Int16: builder.SetInt16(ordinal, 1); break;
            case ColumnType.Int32: builder.SetInt32(ordinal, 1); break;
            case ColumnType.Int64: builder.SetInt64(ordinal, 1); break;
            case ColumnType.Float64: builder.SetFloat64(ordinal, 1); break;
            case ColumnType.DateTime64Micro: builder.SetTime(ordinal, 1); break;
            case ColumnType.IPv4: builder.SetIPv4(ordinal, 1); break;
            case ColumnType.IPv6: builder.SetIPv6(ordinal, [1, 2, 3, 4]); break;
            case ColumnType.String: Assert.True(builder.TrySetString(ordinal, "x"u8)); break;
            case ColumnType.Dictionary: Assert.True(builder.TrySetDictionary(ordinal, "x"u8)); break;
            default: builder.SetBool(ordinal, true); break;
        }
    }
}
