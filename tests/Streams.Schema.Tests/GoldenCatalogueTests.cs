namespace Streams.Schema.Tests;

/// <summary>
/// One batch of every class in every catalogue so far. The files are never written again: agents of those builds are still out there, and
/// their batches lie in spools. A new catalogue adds a file (STREAMS_UPDATE=1).
/// </summary>
public sealed class GoldenCatalogueTests
{
    public static TheoryData<ushort> Catalogues => [.. Enumerable.Range(1, Catalogue.Version).Select(version => (ushort)version)];

    [Theory]
    [MemberData(nameof(Catalogues))]
    public void Every_class_of_an_earlier_catalogue_is_decoded(ushort catalogue)
    {
        var path = Repository.Path("tests", "vectors", $"catalogue-{catalogue}.bin");
        if (!File.Exists(path) && Environment.GetEnvironmentVariable("STREAMS_UPDATE") == "1")
        {
            File.WriteAllBytes(path, [.. Catalogue.Classes.Where(c => c.VersionIn(catalogue) > 0).SelectMany((c, n) => Batch(c, catalogue, (uint)n))]);
        }

        var sequence = new BatchSequence(File.ReadAllBytes(path));
        using var batch = new DecodedBatch();
        using var hash = new Proof.RuntimeSha256();
        var digest = new byte[BatchDigest.Size];
        var classes = new List<EventClass>();
        while (sequence.MoveNext())
        {
            Assert.True(BatchDecoder.TryDecode(sequence.Current, batch, out var error), error.ToString());
            Assert.Equal((catalogue, batch.Class.VersionIn(catalogue)), (batch.Header.CatalogueVersion, batch.Header.SchemaVersion));
            Assert.Equal((2, 0), (batch.Rows, batch.IgnoredColumns));
            Assert.Equal(batch.Class.Columns.Count(column => column.Since > batch.Header.SchemaVersion), batch.MissingColumns);
            Assert.True(BatchDigest.TryOf(batch, hash, digest));
            classes.Add(batch.Class);
        }

        Assert.Equal(BatchErrorKind.None, sequence.Error.Kind);
        Assert.Equal(Catalogue.Classes.Where(c => c.VersionIn(catalogue) > 0), classes);
    }

    private static byte[] Batch(EventClass eventClass, ushort catalogue, uint n)
    {
        using var builder = new BatchBuilder(eventClass);
        for (var row = 1u; row <= 2; row++)
        {
            Assert.True(builder.TryBeginRow(8 * eventClass.Columns.Count));
            for (var ordinal = 0; ordinal < eventClass.Columns.Count; ordinal++)
            {
                Set(builder, ordinal, eventClass.Columns[ordinal].Type, (byte)(row + ordinal));
            }

            builder.EndRow();
        }

        builder.TryAddLedger(ClaimColumns.UserSpaceCpu, 1, 2, 2);
        var bytes = new byte[builder.MaxSealedBytes];
        var stamp = new BatchStamp(AllTypes.TestEpoch(2), 42, catalogue);
        return bytes[..builder.Seal(new BatchName(AllTypes.TestEpoch(1), catalogue, n), stamp, BatchCompression.Lz4, bytes)];
    }

    private static void Set(BatchBuilder builder, int ordinal, ColumnType type, byte value)
    {
        switch (type)
        {
            case ColumnType.UInt8: builder.SetUInt8(ordinal, value); break;
            case ColumnType.UInt16: builder.SetUInt16(ordinal, value); break;
            case ColumnType.UInt32: builder.SetUInt32(ordinal, value); break;
            case ColumnType.UInt64: builder.SetUInt64(ordinal, value); break;
            case ColumnType.Int8: builder.SetInt8(ordinal, (sbyte)value); break;
            case ColumnType.Int16: builder.SetInt16(ordinal, value); break;
            case ColumnType.Int32: builder.SetInt32(ordinal, value); break;
            case ColumnType.Int64: builder.SetInt64(ordinal, value); break;
            case ColumnType.Float64: builder.SetFloat64(ordinal, value / 2.0); break;
            case ColumnType.DateTime64Micro: builder.SetTime(ordinal, 1_700_000_000_000_000 + value); break;
            case ColumnType.IPv4: builder.SetIPv4(ordinal, value); break;
            case ColumnType.IPv6: builder.SetIPv6(ordinal, [10, 0, 0, value]); break;
            case ColumnType.Bool: builder.SetBool(ordinal, value % 2 == 1); break;
            case ColumnType.Dictionary: Assert.True(builder.TrySetDictionary(ordinal, [(byte)'k', value])); break;
            default: Assert.True(builder.TrySetString(ordinal, [(byte)'s', value])); break;
        }
    }
}
