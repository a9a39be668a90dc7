namespace Streams.Schema.Tests;

/// <summary>Builds of different age understand each other.</summary>
public sealed class EvolutionTests
{
    private static readonly EventClass Old = Make(1, new Column(16, "a", ColumnType.UInt32, ""));

    private static readonly EventClass New = Make(
        2, new Column(16, "a", ColumnType.UInt32, ""), new Column(17, "b", ColumnType.String, "", since: 2),
        new Column(18, "c", ColumnType.Dictionary, "", since: 2));

    private static readonly EventClass Grown = new(
        60_001, "evolving", 2, PriorityClass.Event, "test", EventProducer.Agent, "",
        new Column(16, "a", ColumnType.UInt32, ""), new Column(17, "b", ColumnType.String, "", since: 2))
    {
        Catalogues = [1, Catalogue.Version],
    };

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(Catalogue.Version, 2, 1)]
    public void A_batch_is_written_in_the_catalogue_that_is_asked_for(ushort catalogue, ushort version, int ignored)
    {
        using var builder = new BatchBuilder(Grown);
        Assert.True(builder.TryBeginRow(5));
        builder.SetUInt32(Grown.OrdinalOf("a"), 7);
        Assert.True(builder.TrySetString(Grown.OrdinalOf("b"), "b"u8));
        builder.EndRow();
        builder.TryAddLedger(0, 1, 1, 1);
        var bytes = new byte[builder.MaxSealedBytes];
        var stamp = new BatchStamp(AllTypes.TestEpoch(2), CatalogueVersion: catalogue);
        var written = builder.Seal(new BatchName(AllTypes.TestEpoch(1), 0, 0), stamp, BatchCompression.None, bytes);
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(0, written), Old, batch, out _));
        Assert.Equal((catalogue, version, ignored), (batch.Header.CatalogueVersion, batch.Header.SchemaVersion, batch.IgnoredColumns));
        Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(0, written), Grown, batch, out _));

        using var hash = new Proof.RuntimeSha256();
        byte[] sealedAs = new byte[BatchDigest.Size], decoded = new byte[BatchDigest.Size];
        builder.Digest(batch.Header.Name, stamp, hash, sealedAs);
        Assert.True(BatchDigest.TryOf(batch, hash, decoded));
        Assert.Equal(sealedAs, decoded);
    }

    [Fact]
    public void A_class_knows_its_version_in_every_catalogue()
    {
        var late = new EventClass(60_002, "late", 2, PriorityClass.Event, "test", EventProducer.Agent, "") { Catalogues = [3, 5] };
        Assert.Equal([0, 0, 1, 1, 2, 2], Enumerable.Range(1, 6).Select(catalogue => (int)late.VersionIn((ushort)catalogue)));
    }

    [Fact]
    public void The_history_of_every_class_is_declared() => Assert.All(Catalogue.Classes, c =>
    {
        Assert.Equal(c.Version, c.Catalogues.Count);
        Assert.Equal(c.Catalogues.Order(), c.Catalogues);
        Assert.InRange(c.Catalogues[^1], 1, Catalogue.Version);
        Assert.All(c.Columns, column => Assert.InRange(column.Since, 1, c.Version));
        Assert.Equal(Enumerable.Range(1, c.Version), c.Columns.Select(column => (int)column.Since).Distinct().Order());
    });

    [Fact]
    public void Unknown_columns_are_skipped_and_counted()
    {
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(Batch(New), Old, batch, out _));
        Assert.Equal(2, batch.IgnoredColumns);
        Assert.Equal(0, batch.MissingColumns);
        Assert.Equal([7, 0, 0, 0], batch.Column(Old.OrdinalOf("a")).Data.ToArray());
    }

    [Fact]
    public void Missing_columns_are_reported()
    {
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(Batch(Old), New, batch, out _));
        Assert.Equal(2, batch.MissingColumns);
        Assert.False(batch.Has(New.OrdinalOf("b")));
        Assert.Throws<InvalidOperationException>(() => _ = batch.Column(New.OrdinalOf("b")).Id);
    }

    [Fact]
    public void Another_type_under_a_known_id_is_an_error_that_names_the_column()
    {
        var changed = Make(1, new Column(16, "a", ColumnType.UInt64, ""));
        using var batch = new DecodedBatch();
        Assert.False(BatchDecoder.TryDecode(Batch(Old), changed, batch, out var error));
        Assert.Equal(new BatchError(BatchErrorKind.ColumnType, 16, (int)ColumnType.UInt32, (int)ColumnType.UInt64), error);
    }

    private static EventClass Make(ushort version, params ReadOnlySpan<Column> columns) =>
        new(60_001, "evolving", version, PriorityClass.Event, "test", EventProducer.Agent, "", columns);

    private static byte[] Batch(EventClass eventClass)
    {
        using var builder = new BatchBuilder(eventClass);
        Assert.True(builder.TryBeginRow());
        builder.SetUInt32(eventClass.OrdinalOf("a"), 7);
        builder.EndRow();
        return AllTypes.Seal(builder, BatchCompression.Lz4);
    }
}
