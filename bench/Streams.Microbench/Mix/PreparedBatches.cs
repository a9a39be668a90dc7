using Streams.Schema;

namespace Streams.Microbench.Mix;

/// <summary>Sealed batches of the rows of <see cref="RowSource"/>, under any name.</summary>
internal static class PreparedBatches
{
    private const int Rows = 1000;

    /// <summary>Sealed batches; every third is network_connect, the others process_exec.</summary>
    public static byte[][] Templates(int count, int rows)
    {
        var source = new RowSource();
        using var compressor = new BatchCompressor();
        using var exec = new BatchBuilder(ProcessClasses.Exec, new BuilderOptions { MaxRows = rows }, compressor);
        using var connect = new BatchBuilder(NetworkClasses.Connect, new BuilderOptions { MaxRows = rows }, compressor);
        return [.. Enumerable.Range(0, count).Select(i => Seal(source, i % 3 == 2 ? connect : exec, rows, i * rows))];
    }

    /// <summary>Sealed batches of one class.</summary>
    public static byte[][] Templates(EventClass eventClass, int count)
    {
        var source = new RowSource();
        using var builder = new BatchBuilder(eventClass);
        return [.. Enumerable.Range(0, count).Select(i => Seal(source, builder, Rows, i * Rows))];
    }

    /// <summary>The batch under another name: name and sensor epoch stand in the fixed header.</summary>
    public static byte[] Named(byte[] template, BatchName name)
    {
        var batch = template.ToArray();
        (Header(template) with { Name = name, SensorEpoch = name.Epoch }).Write(batch);
        return batch;
    }

    /// <summary>Decoded anew each; the caller disposes them.</summary>
    public static DecodedBatch[] Decode(byte[][] batches) => [.. batches.Select(Decode)];

    public static BatchHeader Header(ReadOnlySpan<byte> batch) =>
        BatchHeader.TryRead(batch, out var header, out var error) ? header : throw new InvalidOperationException(error.ToString());

    private static byte[] Seal(RowSource source, BatchBuilder builder, int rows, int first)
    {
        builder.Reset();
        for (var row = first; row < first + rows; row++)
        {
            if (builder.Class == ProcessClasses.Exec)
            {
                source.AppendExec(builder, row);
            }
            else
            {
                source.AppendConnect(builder, row);
            }
        }

        builder.TryAddLedger(0, (ulong)first + 1, (ulong)(first + rows), (uint)rows);
        var epoch = Epoch.NewRandom();
        var batch = new byte[Limits.MaxStoredBytes];
        return batch[..builder.Seal(new BatchName(epoch, 0, 0), new BatchStamp(epoch), BatchCompression.Zstd, batch)];
    }

    private static DecodedBatch Decode(byte[] batch)
    {
        var decoded = new DecodedBatch();
        return BatchDecoder.TryDecode((ReadOnlySpan<byte>)batch, decoded, out var error) ? decoded : throw new InvalidOperationException(error.ToString());
    }
}
