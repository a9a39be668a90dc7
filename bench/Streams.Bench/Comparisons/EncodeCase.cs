using System.Diagnostics;
using Streams.Storage;

namespace Streams.Bench.Comparisons;

/// <summary>Native encode of merged batches beside a copy of as many bytes, in turns; medians are compared. One thread.</summary>
internal static class EncodeCase
{
    private const int Turns = 11;

    /// <returns>GB/s over two blocks of process_exec and one of network_connect, each encoded whole, and of the copies of what came out.</returns>
    public static (double Encode, double Memcpy) Measure(PreparedBlocks blocks)
    {
        using var buffer = new SegmentedBuffer();
        var exec = Both(blocks.Merge(blocks.Exec), buffer);
        var connect = Both(blocks.Merge(blocks.Connect), buffer);
        var bytes = (2 * exec.Bytes) + connect.Bytes;
        return (bytes / ((2 * exec.Encode) + connect.Encode) / 1e9, bytes / ((2 * exec.Memcpy) + connect.Memcpy) / 1e9);
    }

    /// <returns>Bytes of the block; median seconds of its encoding and of the copy.</returns>
    private static (double Bytes, double Encode, double Memcpy) Both(ClassBlock block, SegmentedBuffer buffer)
    {
        var encode = new double[Turns];
        var memcpy = new double[Turns];
        EncodeSeconds(block, buffer);
        var bytes = buffer.Length;
        var source = new byte[bytes];
        var target = new byte[bytes];
        using (var stream = new MemoryStream(source))
        {
            buffer.CopyTo(stream);
        }

        CopySeconds(source, target);
        for (var turn = 0; turn < Turns; turn++)
        {
            encode[turn] = EncodeSeconds(block, buffer);
            memcpy[turn] = CopySeconds(source, target);
        }

        Array.Sort(encode);
        Array.Sort(memcpy);
        return (bytes, encode[Turns / 2], memcpy[Turns / 2]);
    }

    private static double EncodeSeconds(ClassBlock block, SegmentedBuffer buffer)
    {
        var clock = Stopwatch.StartNew();
        buffer.Clear();
        block.Encode(buffer);
        return clock.Elapsed.TotalSeconds;
    }

    private static double CopySeconds(byte[] source, byte[] target)
    {
        var clock = Stopwatch.StartNew();
        source.AsSpan().CopyTo(target);
        return clock.Elapsed.TotalSeconds;
    }
}
