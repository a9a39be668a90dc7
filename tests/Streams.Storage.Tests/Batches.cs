using System.Text;
using Streams.Schema;

namespace Streams.Storage.Tests;

/// <summary>Batches for tests: built, sealed and decoded, as they come out of the worker's decoder.</summary>
internal static class Batches
{
    /// <summary>A time that no retention has passed.</summary>
    internal static long Now { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds() * 1_000_000;

    internal static Epoch Epoch(byte fill)
    {
        Span<byte> bytes = stackalloc byte[Schema.Epoch.Size];
        bytes.Fill(fill);
        return Schema.Epoch.Read(bytes);
    }

    internal static BatchOrigin Origin(string agent) => new(agent, agent + ".example", Now);

    internal static DecodedBatch Decode(BatchBuilder builder, EventClass eventClass, BatchName name, Epoch? sensor = null)
    {
        var bytes = new byte[Limits.MaxStoredBytes];
        var written = builder.Seal(name, new BatchStamp(sensor ?? Epoch(0xEE)), BatchCompression.Zstd, bytes);
        Assert.True(written > 0, "the batch does not fit");
        var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(0, written), eventClass, batch, out var error), error.ToString());
        return batch;
    }

    /// <summary>Exec rows with seq from <paramref name="first"/>, and losses behind them.</summary>
    internal static DecodedBatch Exec(
        BatchName name, ulong first, int rows, ulong ringFull = 0, ushort cpu = 0, Epoch? sensor = null, LossCause cause = LossCause.RingFull)
    {
        var c = ProcessClasses.Exec;
        using var builder = new BatchBuilder(c, new BuilderOptions { MaxRows = 65_536, MaxBytes = Limits.MaxDecodedBytes });
        for (var i = 0; i < rows; i++)
        {
            var comm = Encoding.ASCII.GetBytes($"comm-{i % 20}");
            var argv = Encoding.ASCII.GetBytes($"/usr/bin/tool\0--number\0{i}");
            Assert.True(builder.TryBeginRow(comm.Length + argv.Length + 20));
            builder.SetClaim(Now + i, first + (ulong)i, cpu, 0, 0);
            builder.SetUInt32(c.OrdinalOf("pid"), (uint)(1000 + i));
            Assert.True(builder.TrySetDictionary(c.OrdinalOf("comm"), comm));
            Assert.True(builder.TrySetDictionary(c.OrdinalOf("filename"), "/usr/bin/tool"u8));
            Assert.True(builder.TrySetString(c.OrdinalOf("argv"), argv));
            builder.SetUInt16(c.OrdinalOf("argc"), 3);
            builder.EndRow();
        }

        Assert.True(builder.TryAddLedger(
            cpu,
            first,
            first + (ulong)rows + ringFull - 1,
            (uint)rows,
            ringFull == 0 ? [] : [new LossCount(cause, ringFull)]));
        return Decode(builder, c, name, sensor);
    }

    /// <param name="at">Seconds after <see cref="Now"/>.</param>
    internal static DecodedBatch Barrier(
        BatchName name, string eventClass, ulong stamped, ushort cpu = 0, Epoch? sensor = null, bool stop = false, int at = 0)
    {
        var c = LedgerClasses.Barrier;
        using var builder = new BatchBuilder(c);
        Assert.True(builder.TryBeginRow(64));
        builder.SetClaim(Now + (at * 1_000_000L) + name.N, name.N + 1, ClaimColumns.UserSpaceCpu, 0, 0);
        Assert.True(builder.TrySetDictionary(c.OrdinalOf("class"), Encoding.ASCII.GetBytes(eventClass)));
        builder.SetUInt16(c.OrdinalOf("barrier_cpu"), cpu);
        builder.SetUInt64(c.OrdinalOf("stamped"), stamped);
        Assert.True(builder.TrySetDictionary(c.OrdinalOf("reason"), stop ? "stop"u8 : "periodic"u8));
        builder.EndRow();
        Assert.True(builder.TryAddLedger(ClaimColumns.UserSpaceCpu, name.N + 1, name.N + 1, 1));
        return Decode(builder, c, name, sensor);
    }

    internal static ClassBlock Block(EventClass eventClass, params ReadOnlySpan<(DecodedBatch Batch, BatchOrigin Origin)> batches)
    {
        var block = new ClassBlock(eventClass);
        foreach (var (batch, origin) in batches)
        {
            Assert.True(block.TryAdd(batch, origin));
        }

        return block;
    }

    internal static LedgerBlock Ledger(params ReadOnlySpan<(DecodedBatch Batch, BatchOrigin Origin)> batches)
    {
        var block = new LedgerBlock();
        foreach (var (batch, origin) in batches)
        {
            Assert.True(block.TryAdd(batch, origin));
        }

        return block;
    }
}
