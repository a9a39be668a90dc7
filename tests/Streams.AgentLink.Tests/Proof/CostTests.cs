using System.Diagnostics;
using System.Globalization;
using System.Text;
using Streams.AgentLink.Proof;
using Streams.Schema;
using Xunit.Abstractions;

namespace Streams.AgentLink.Tests.Proof;

/// <summary>Prints what a digest costs beside the seal; times on a shared machine are not asserted.</summary>
public sealed class CostTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(30)]
    [InlineData(1000)]
    public void ADigestBesideItsSeal(int rows)
    {
        using var builder = new BatchBuilder(ProcessClasses.Exec);
        for (var i = 0; i < rows; i++)
        {
            Assert.True(builder.TryBeginRow(200));
            builder.SetClaim(1_700_000_000_000_000 + (i * 137), (ulong)i + 1, (ushort)(i % 4), 0, 0);
            builder.SetUInt32(ProcessClasses.Exec.OrdinalOf("pid"), (uint)(4000 + i));
            builder.SetUInt64(ProcessClasses.Exec.OrdinalOf("inode"), (ulong)(i % 50) * 7919);
            builder.TrySetDictionary(ProcessClasses.Exec.OrdinalOf("comm"), Encoding.ASCII.GetBytes($"worker-{i % 20}"));
            builder.TrySetDictionary(ProcessClasses.Exec.OrdinalOf("filename"), Encoding.ASCII.GetBytes($"/usr/lib/systemd/worker-{i % 50}"));
            builder.TrySetString(ProcessClasses.Exec.OrdinalOf("argv"), Encoding.ASCII.GetBytes($"worker\0--task={i}\0--input=/var/lib/data/{i * 31}.bin"));
            builder.EndRow();
        }

        builder.TryAddLedger(0, 1, (ulong)rows, (uint)rows);
        var name = new BatchName(Epoch.NewRandom(), 0, 0);
        var stamp = new BatchStamp(name.Epoch);
        var bytes = new byte[Limits.MaxStoredBytes];
        var digest = new byte[BatchDigest.Size];
        var hash = new LinkHash();
        using var runtime = new RuntimeSha256();
        var counted = new CountingHash();
        builder.Digest(name, stamp, counted, digest);
        var (seal, sodium, system) = (long.MaxValue, long.MaxValue, long.MaxValue);
        for (var round = 0; round < 300; round++)
        {
            seal = Math.Min(seal, Ticks(() => builder.Seal(name, stamp, BatchCompression.Zstd, bytes)));
            sodium = Math.Min(sodium, Ticks(() => builder.Digest(name, stamp, hash, digest)));
            system = Math.Min(system, Ticks(() => builder.Digest(name, stamp, runtime, digest)));
        }

        Assert.True(seal > 0 && sodium > 0 && system > 0);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{rows} rows, {counted.Bytes} bytes hashed: digest / seal = {(double)sodium / seal:0.00} over libsodium, {(double)system / seal:0.00} over the runtime's; seal {seal * 1e6 / Stopwatch.Frequency:0} us"));
    }

    private static long Ticks(Action action)
    {
        var started = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetTimestamp() - started;
    }

    private sealed class CountingHash : ISha256
    {
        internal long Bytes { get; private set; }

        public void Append(ReadOnlySpan<byte> data) => Bytes += data.Length;

        public void Finish(Span<byte> digest) => digest.Clear();
    }
}
