namespace Streams.Schema.Tests;

/// <summary>Builds of different age understand each other.</summary>
public sealed class EvolutionTests
{
    private static readonly EventClass Old = Make(1, new Column(16, "a", ColumnType.UInt32, ""));

    private static readonly EventClass New = Make(
        2, new Column(16, "a", ColumnType.UInt32, ""), new Column(17, "b", ColumnType.String, ""), new Column(18, "c", ColumnType.Dictionary, ""));

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
