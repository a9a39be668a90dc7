using System.Text;

namespace Streams.Schema.Tests;

public sealed class BatchBuilderTests
{
    private static readonly BatchName Name = new(AllTypes.TestEpoch(1), 0, 0);

    [Fact]
    public void Appending_allocates_nothing_after_warm_up()
    {
        using var builder = new BatchBuilder(AllTypes.Class);
        var rows = Enumerable.Range(0, 1000).Select(AllTypes.RowAt).ToArray();
        var address = new byte[16];
        var bytes = new byte[Limits.MaxStoredBytes];
        Fill(); // warm-up: buffers grow, code is compiled
        Fill();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Fill();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Fill()
        {
            builder.Reset();
            foreach (ref readonly var row in rows.AsSpan())
            {
                if (!builder.TryBeginRow(row.Text.Length + row.Key.Length))
                {
                    throw new InvalidOperationException("full");
                }

                builder.SetClaim(row.Time, row.Seq, 3, 0, 0);
                builder.SetUInt32(AllTypes.Ordinal(ColumnType.UInt32), row.U32);
                builder.SetIPv6(AllTypes.Ordinal(ColumnType.IPv6), address);
                builder.TrySetString(AllTypes.Ordinal(ColumnType.String), row.Text);
                builder.TrySetDictionary(AllTypes.Ordinal(ColumnType.Dictionary), row.Key);
                builder.EndRow();
            }

            builder.TryAddLedger(3, 1, 1000, 1000);
            if (builder.Seal(Name, new BatchStamp(AllTypes.TestEpoch(2)), BatchCompression.Zstd, bytes) == 0)
            {
                throw new InvalidOperationException("not sealed");
            }
        }
    }

    [Fact]
    public void It_is_full_at_its_rows_and_at_its_bytes()
    {
        using var byRows = new BatchBuilder(AllTypes.Class, new BuilderOptions { MaxRows = 2 });
        AllTypes.AddRow(byRows, AllTypes.RowAt(0));
        Assert.False(byRows.IsFull);
        AllTypes.AddRow(byRows, AllTypes.RowAt(1));
        Assert.True(byRows.IsFull);
        Assert.False(byRows.TryBeginRow());

        using var byBytes = new BatchBuilder(ProcessClasses.Exec);
        var argv = ProcessClasses.Exec.OrdinalOf("argv");
        var text = new byte[60_000];
        var rows = 0;
        while (byBytes.TryBeginRow(text.Length))
        {
            Random.Shared.NextBytes(text); // incompressible
            Assert.True(byBytes.TrySetString(argv, text));
            byBytes.EndRow();
            rows++;
        }

        Assert.Equal(4, rows); // 4 x 60,000 below 239 KB
        byBytes.TryAddLedger(0, 1, 4, 4);
        var bytes = new byte[Limits.MaxStoredBytes];
        var written = byBytes.Seal(Name, new BatchStamp(AllTypes.TestEpoch(2)), BatchCompression.Lz4, bytes);
        Assert.True(written > 240_000);
        Assert.True(BatchHeader.TryRead(bytes, out var header, out _));
        Assert.Equal(BatchCompression.None, header.Compression); // it did not shrink
        Assert.InRange(byBytes.Seal(Name, new BatchStamp(AllTypes.TestEpoch(2)), BatchCompression.Zstd, bytes), 240_000, written);
    }

    [Fact]
    public void A_body_too_large_to_store_is_not_sealed_and_not_lost()
    {
        using var builder = new BatchBuilder(ProcessClasses.Exec, new BuilderOptions { MaxBytes = 1024 * 1024 });
        var text = new byte[60_000];
        for (var i = 0; i < 6; i++)
        {
            Random.Shared.NextBytes(text);
            Assert.True(builder.TryBeginRow(text.Length));
            Assert.True(builder.TrySetString(ProcessClasses.Exec.OrdinalOf("argv"), text));
            builder.EndRow();
        }

        builder.TryAddLedger(0, 1, 6, 6);
        var bytes = new byte[Limits.MaxStoredBytes * 2];
        Assert.Equal(0, builder.Seal(Name, new BatchStamp(AllTypes.TestEpoch(2)), BatchCompression.Lz4, bytes));
        Assert.Equal(6, builder.RowCount);
    }

    [Fact]
    public void Strings_are_bounded()
    {
        using var builder = new BatchBuilder(ProcessClasses.Exec);
        var argv = ProcessClasses.Exec.OrdinalOf("argv");
        Assert.True(builder.TryBeginRow());
        Assert.False(builder.TrySetString(argv, new byte[Limits.MaxStringBytes + 1]));
        Assert.True(builder.TrySetString(argv, new byte[Limits.MaxStringBytes]));
        builder.EndRow();
        Assert.Equal(1, builder.RowCount);
    }

    [Fact]
    public void Misuse_throws()
    {
        using var builder = new BatchBuilder(ProcessClasses.Exec);
        Assert.Throws<InvalidOperationException>(() => builder.SetUInt32(5, 1)); // no row
        Assert.True(builder.TryBeginRow());
        Assert.Throws<InvalidOperationException>(() => builder.SetUInt64(5, 1)); // pid is UInt32
        builder.SetUInt32(5, 1);
        Assert.Throws<InvalidOperationException>(() => builder.SetUInt32(5, 1)); // twice
        Assert.Throws<InvalidOperationException>(() => builder.TryBeginRow());
        Assert.Throws<ArgumentException>(() => builder.TryAddLedger(0, 1, 3, 1)); // 1 row in 3
        builder.EndRow();
        Assert.Throws<InvalidOperationException>(
            () => builder.Seal(Name, new BatchStamp(AllTypes.TestEpoch(2)), BatchCompression.None, new byte[4096])); // no ledger
    }

    [Fact]
    public void Columns_not_set_have_their_default_also_in_used_memory()
    {
        using var builder = new BatchBuilder(AllTypes.Class);
        AllTypes.AddRow(builder, AllTypes.RowAt(1));
        builder.Reset();
        Assert.True(builder.TryBeginRow());
        builder.EndRow();
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(AllTypes.Seal(builder, BatchCompression.None), AllTypes.Class, batch, out _));
        for (var i = 0; i < AllTypes.Class.Columns.Count; i++)
        {
            var column = batch.Column(i);
            var data = column.Type == ColumnType.Dictionary ? column.Indices : column.Data;
            Assert.False(data.ContainsAnyExcept((byte)0), AllTypes.Class.Columns[i].Name);
        }
    }

    [Fact]
    public void The_estimate_is_an_upper_bound_of_the_body()
    {
        using var builder = new BatchBuilder(AllTypes.Class);
        for (var i = 0; i < 700; i++)
        {
            AllTypes.AddRow(builder, AllTypes.RowAt(i));
        }

        var estimate = builder.EstimatedBytes;
        Assert.True(BatchHeader.TryRead(AllTypes.Seal(builder, BatchCompression.None), out var header, out _));
        Assert.InRange(header.DecodedLength, estimate - (700 * 3), estimate);
    }

    [Fact]
    public void Many_keys_are_told_apart()
    {
        using var builder = new BatchBuilder(ProcessClasses.Exec, new BuilderOptions { MaxRows = 50_000, MaxBytes = Limits.MaxDecodedBytes });
        var comm = ProcessClasses.Exec.OrdinalOf("comm");
        for (var i = 0; i < 20_000; i++)
        {
            Assert.True(builder.TryBeginRow(16));
            Assert.True(builder.TrySetDictionary(comm, Encoding.ASCII.GetBytes($"name-{i % 5000}")));
            builder.EndRow();
        }

        builder.TryAddLedger(0, 1, 20_000, 20_000);
        var bytes = new byte[Limits.MaxStoredBytes];
        var written = builder.Seal(Name, new BatchStamp(AllTypes.TestEpoch(2)), BatchCompression.Zstd, bytes);
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(0, written), batch, out _));
        Assert.Equal(5001, batch.Column(comm).KeyCount);
        var keys = RowAssert.Keys(batch.Column(comm));
        Assert.All(Enumerable.Range(0, 20_000), i => Assert.Equal($"name-{i % 5000}", Encoding.ASCII.GetString(keys[i])));
    }
}
