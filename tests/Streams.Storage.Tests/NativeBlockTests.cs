using System.Globalization;
using System.Text;
using Streams.Schema;
using Streams.Schema.Tests;

namespace Streams.Storage.Tests;

/// <summary>What we encode, the real engine reads back as the same values.</summary>
[Collection(EngineCollection.Name)]
public sealed class NativeBlockTests(Engine engine)
{
    [Fact]
    public async Task Every_column_type_comes_back()
    {
        await engine.CreateAsync(AllTypes.Class);
        const int rows = 700;
        using var one = Batch(0, rows);
        using var two = Batch(rows, 40);
        using var block = Batches.Block(AllTypes.Class, (one, Batches.Origin("a")), (two, Batches.Origin("b")));
        Assert.Equal(new InsertResult(InsertOutcome.Ok, rows + 40), await engine.InsertAsync(block) with { Message = "" });

        var answer = await engine.QueryAsync(
            """
            SELECT agent_id, host, toUnixTimestamp64Micro(received_at), epoch, lane, batch, row, sensor_epoch, server_flags,
                toUnixTimestamp64Micro(time), seq, cpu, policy_generation, flags,
                c_uint8, c_uint16, c_uint32, c_uint64, c_int8, c_int16, c_int32, c_int64, reinterpretAsUInt64(c_float64),
                toUnixTimestamp64Micro(c_datetime64micro), toUInt32(c_ipv4), hex(reinterpretAsFixedString(c_ipv6)), hex(c_string),
                hex(c_dictionary), toUInt8(c_bool)
            FROM all_types ORDER BY agent_id, row FORMAT TSV
            """);
        var lines = answer.Split('\n');
        Assert.Equal(rows + 40, lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            Assert.Equal(Expected(i, rows), lines[i]);
        }
    }

    [Theory]
    [InlineData(1, 300)]
    [InlineData(8, 10_000)]
    [InlineData(9, 10_000)]
    public async Task Dictionaries_are_united_at_every_index_width(int batches, int keysEach)
    {
        // 300: two bytes; 80,000 and 90,000 keys: four bytes and more than any dictionary that the engine writes itself.
        var c = new EventClass(
            60_002, $"keys_{batches}_{keysEach}", 1, PriorityClass.Event, "test", EventProducer.Agent, "",
            new Column(16, "k", ColumnType.Dictionary, ""));
        await engine.CreateAsync(c);
        using var block = new ClassBlock(c);
        for (var b = 0; b < batches; b++)
        {
            using var builder = new BatchBuilder(c, new BuilderOptions { MaxRows = keysEach + 1, MaxBytes = Limits.MaxDecodedBytes });
            for (var i = 0; i <= keysEach; i++)
            {
                // Neighbours share half of their keys, and one row has the empty key.
                Assert.True(builder.TryBeginRow(16));
                Assert.True(
                    builder.TrySetDictionary(5, i == 0 ? [] : Encoding.ASCII.GetBytes($"k{(b * keysEach / (batches > 8 ? 1 : 2)) + i}")));
                builder.SetUInt64(ClaimColumns.Seq, (ulong)((b * keysEach / (batches > 8 ? 1 : 2)) + i));
                builder.EndRow();
            }

            Assert.True(builder.TryAddLedger(0, 1, (ulong)builder.RowCount, (uint)builder.RowCount));
            Assert.True(block.TryAdd(Batches.Decode(builder, c, new BatchName(Batches.Epoch(1), 0, (uint)b)), Batches.Origin("a")));
        }

        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
        var distinct = batches > 8 ? batches * keysEach : (batches + 1) * keysEach / 2;
        if (batches == 1)
        {
            distinct = keysEach;
        }

        Assert.Equal($"{batches * (keysEach + 1)}\t{distinct + 1}\t0", await engine.QueryAsync(
            $"SELECT count(), uniqExact(k), countIf(k != if(row = 0, '', concat('k', toString(seq)))) FROM {c.Name} FORMAT TSV"));
    }

    [Fact]
    public async Task Batches_of_older_and_newer_builds_are_merged()
    {
        var old = Evolving(1, new Column(16, "a", ColumnType.UInt32, ""));
        var now = Evolving(
            2,
            new Column(16, "a", ColumnType.UInt32, ""),
            new Column(17, "s", ColumnType.String, ""),
            new Column(18, "d", ColumnType.Dictionary, ""));
        var next = Evolving(
            3,
            new Column(16, "a", ColumnType.UInt32, ""),
            new Column(17, "s", ColumnType.String, ""),
            new Column(18, "d", ColumnType.Dictionary, ""),
            new Column(19, "future", ColumnType.Float64, ""));
        await engine.CreateAsync(now);
        using var block = new ClassBlock(now);
        foreach (var (c, n) in new[] { (old, 0u), (now, 1u), (next, 2u), (old, 3u) })
        {
            using var builder = new BatchBuilder(c);
            for (var i = 0; i < 2; i++)
            {
                Assert.True(builder.TryBeginRow(16));
                builder.SetTime(ClaimColumns.Time, Batches.Now);
                builder.SetUInt32(5, n);
                if (c != old)
                {
                    Assert.True(builder.TrySetString(6, Encoding.ASCII.GetBytes($"s{n}")));
                    Assert.True(builder.TrySetDictionary(7, Encoding.ASCII.GetBytes($"d{n}")));
                }

                builder.EndRow();
            }

            Assert.True(builder.TryAddLedger(0, 1, 2, 2));
            Assert.True(block.TryAdd(Batches.Decode(builder, now, new BatchName(Batches.Epoch(1), 0, n)), Batches.Origin("a")));
        }

        Assert.Equal(1, block.IgnoredColumns);
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
        Assert.Equal(
            "0\t0\t\t\n1\t1\ts1\td1\n2\t2\ts2\td2\n3\t3\t\t",
            await engine.QueryAsync("SELECT batch, a, s, d FROM evolving WHERE row = 1 ORDER BY batch FORMAT TSV"));
    }

    [Fact]
    public async Task Times_far_from_received_at_are_stored_as_sent_and_marked()
    {
        var c = Evolving(1) is var made ? new EventClass(60_004, "clocks", 1, made.Priority, "test", EventProducer.Agent, "") : made;
        await engine.CreateAsync(c);
        const long day = 86_400_000_000;
        long[] times = [Batches.Now, Batches.Now - day, Batches.Now - day - 1, Batches.Now + day, Batches.Now + day + 1, 0, -5];
        using var builder = new BatchBuilder(c);
        foreach (var time in times)
        {
            Assert.True(builder.TryBeginRow());
            builder.SetTime(ClaimColumns.Time, time);
            builder.EndRow();
        }

        builder.TryAddLedger(0, 1, 7, 7);
        using var batch = Batches.Decode(builder, c, new BatchName(Batches.Epoch(1), 0, 0));
        using var block = Batches.Block(c, (batch, Batches.Origin("a")));
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
        Assert.Equal(
            string.Join('\n', times.Zip([0, 0, 1, 0, 1, 1, 1], (t, f) => $"{t}\t{f}")),
            await engine.QueryAsync("SELECT toUnixTimestamp64Micro(time), server_flags FROM clocks ORDER BY row FORMAT TSV"));
    }

    [Fact]
    public void A_block_refuses_what_would_be_split()
    {
        using var batch = Batches.Exec(new BatchName(Batches.Epoch(1), 0, 0), 1, 20_000);
        using var block = new ClassBlock(ProcessClasses.Exec);
        var added = 0;
        while (block.TryAdd(batch, Batches.Origin("a")))
        {
            added++;
        }

        Assert.InRange(block.Rows, NativeLimits.MaxRows - 20_000, NativeLimits.MaxRows);
        Assert.Equal(added * 20_000, block.Rows);
        block.Reset();
        Assert.True(block.TryAdd(batch, Batches.Origin("a")));
    }

    [Fact]
    public void Encoding_is_repeatable_and_crosses_segments()
    {
        using var batch = Batches.Exec(new BatchName(Batches.Epoch(1), 0, 0), 1, 20_000);
        using var block = Batches.Block(ProcessClasses.Exec, (batch, Batches.Origin("a")), (batch, Batches.Origin("b")));
        using var buffer = new SegmentedBuffer();
        block.Encode(buffer);
        Assert.True(buffer.Length > 1024 * 1024);
        using var first = new MemoryStream();
        buffer.CopyTo(first);
        buffer.Clear();
        block.Encode(buffer);
        using var second = new MemoryStream();
        buffer.CopyTo(second);
        Assert.True(first.ToArray().AsSpan().SequenceEqual(second.ToArray()));
    }

    private static EventClass Evolving(ushort version, params ReadOnlySpan<Column> columns) =>
        new(60_003, "evolving", version, PriorityClass.Event, "test", EventProducer.Agent, "", columns);

    private static DecodedBatch Batch(int from, int rows)
    {
        using var builder = new BatchBuilder(AllTypes.Class);
        for (var i = 0; i < rows; i++)
        {
            AllTypes.AddRow(builder, AllTypes.RowAt(from + i));
        }

        Assert.True(builder.TryAddLedger(ClaimColumns.UserSpaceCpu, 1, (ulong)rows, (uint)rows));
        return Batches.Decode(builder, AllTypes.Class, new BatchName(Batches.Epoch(1), 3, (uint)from));
    }

    private static string Expected(int i, int rowsOfA)
    {
        var r = AllTypes.RowAt(i);
        var (agent, batch, row) = i < rowsOfA ? ("a", 0, i) : ("b", rowsOfA, i - rowsOfA);
        object[] fields =
        [
            agent, agent + ".example", Batches.Now, 0x0101010101010101UL, 3, batch, row, 0xEEEEEEEEEEEEEEEEUL, 1,
            r.Time, r.Seq, 65535, r.U64, r.U32,
            r.U8, r.U16, r.U32, r.U64, (sbyte)r.U8, (short)r.U16, (int)r.U32, (long)r.U64, BitConverter.DoubleToUInt64Bits(r.F64),
            r.Time, r.U32, Convert.ToHexString(AllTypes.Address(r)), Convert.ToHexString(r.Text), Convert.ToHexString(r.Key), r.U8 % 2,
        ];
        return string.Join('\t', fields.Select(f => Convert.ToString(f, CultureInfo.InvariantCulture)));
    }
}
