using Streams.Schema;
using Streams.Testing;

namespace Streams.Storage.Tests;

/// <summary>A class is declared once. Here fails whoever has a column that builder, decoder, block, table or page lacks.</summary>
[Collection(EngineCollection.Name)]
public sealed class OneSchemaTests(Engine engine)
{
    public static TheoryData<string> Names => [.. Catalogue.Classes.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Declaration_builder_decoder_block_table_and_page_have_the_same_columns(string name)
    {
        Assert.True(Catalogue.TryGet(name, out var eventClass));
        var declared = eventClass.Columns.Select(c => (c.Name, Type: ColumnTypes.ClickHouseName(c.Type))).ToList();

        // Builder and decoder: a row with every column set differs from a row of defaults in every column, after the way through bytes.
        using var batch = RowWithEverythingSet(eventClass);
        for (var i = 0; i < eventClass.Columns.Count; i++)
        {
            var column = batch.Column(i);
            Assert.Equal(eventClass.Columns[i].Id, column.Id);
            var bytes = column.Type == ColumnType.Dictionary ? column.Indices : column.Data;
            Assert.True(bytes.ContainsAnyExcept((byte)0), eventClass.Columns[i].Name);
        }

        // Block: its columns are those of the server and those declared.
        using var block = Batches.Block(eventClass, (batch, Batches.Origin("one-schema")));
        var expected = ServerColumns.All.Select(c => (c.Name, c.Type)).Concat(declared).ToList();
        Assert.Equal(expected, block.Table.Columns.Select(c => (c.Name, c.Type)));

        // Table: as the server describes it.
        var described = (await engine.QueryAsync(
            "SELECT name, type FROM system.columns WHERE database = currentDatabase() "
            + $"AND table = '{name}' ORDER BY position FORMAT TSVRaw"))
            .Split('\n').Select(l => l.Split('\t')).Select(f => (f[0], f[1]));
        Assert.Equal(expected, described);

        // And the row gets there: no column holds its default.
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
        foreach (var column in eventClass.Columns)
        {
            Assert.Equal("1", await engine.QueryAsync(
                $"SELECT {column.Name} != defaultValueOfTypeName(toTypeName({column.Name})) FROM {name} WHERE agent_id = 'one-schema'"));
        }

        // Page.
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "reference", "classes.md"));
        var start = page.IndexOf($"\n## {name}\n", StringComparison.Ordinal);
        Assert.True(start > 0, $"the page lacks {name}");
        var section = page[start..page.IndexOf("\n## ", start + 4, StringComparison.Ordinal)];
        Assert.All(
            eventClass.Columns.Skip(ClaimColumns.Count),
            c => Assert.Contains($"| {c.Name} | {c.Id} | {ColumnTypes.ClickHouseName(c.Type)} |", section, StringComparison.Ordinal));
    }

    private static DecodedBatch RowWithEverythingSet(EventClass eventClass)
    {
        using var builder = new BatchBuilder(eventClass);
        Assert.True(builder.TryBeginRow(200));
        for (var i = 0; i < eventClass.Columns.Count; i++)
        {
            switch (eventClass.Columns[i].Type)
            {
                case ColumnType.UInt8: builder.SetUInt8(i, 1); break;
                case ColumnType.UInt16: builder.SetUInt16(i, 1); break;
                case ColumnType.UInt32: builder.SetUInt32(i, 1); break;
                case ColumnType.UInt64: builder.SetUInt64(i, 1); break;
                case ColumnType.Int8: builder.SetInt8(i, 1); break;
                case ColumnType.Int16: builder.SetInt16(i, 1); break;
                case ColumnType.Int32: builder.SetInt32(i, 1); break;
                case ColumnType.Int64: builder.SetInt64(i, 1); break;
                case ColumnType.Float64: builder.SetFloat64(i, 1); break;
                case ColumnType.DateTime64Micro: builder.SetTime(i, Batches.Now); break;
                case ColumnType.IPv4: builder.SetIPv4(i, 1); break;
                case ColumnType.IPv6: builder.SetIPv6(i, [127, 0, 0, 1]); break;
                case ColumnType.String: Assert.True(builder.TrySetString(i, "x"u8)); break;
                case ColumnType.Dictionary: Assert.True(builder.TrySetDictionary(i, "x"u8)); break;
                case ColumnType.Bool: builder.SetBool(i, true); break;
                case var type: Assert.Fail($"{type} has no setter here"); break;
            }
        }

        builder.EndRow();
        Assert.True(builder.TryAddLedger(1, 1, 1, 1));
        // The cpu of the sensor is this test's own, so that no balance of another test sees its rows.
        return Batches.Decode(builder, eventClass, new BatchName(Batches.Epoch(0x51), 0, 0), Batches.Epoch(0x51));
    }
}
