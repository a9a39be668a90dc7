using BenchmarkDotNet.Attributes;
using Streams.Microbench.Mix;
using Streams.Schema;

namespace Streams.Microbench.Batch;

/// <summary>A sealed batch of 1,000 rows decompressed and every length, index and reference in it checked, as the worker does with each.</summary>
public class BatchDecode
{
    private readonly DecodedBatch _decoded = new();
    private byte[] _exec = [];
    private byte[] _connect = [];

    [GlobalSetup]
    public void Open()
    {
        _exec = PreparedBatches.Templates(ProcessClasses.Exec, 1)[0];
        _connect = PreparedBatches.Templates(NetworkClasses.Connect, 1)[0];
    }

    [GlobalCleanup]
    public void Close() => _decoded.Dispose();

    [Benchmark]
    public long Exec() => Decode(_exec);

    [Benchmark]
    public long Connect() => Decode(_connect);

    private int Decode(byte[] batch) => BatchDecoder.TryDecode((ReadOnlySpan<byte>)batch, _decoded, out var error)
        ? _decoded.Rows
        : throw new InvalidOperationException(error.ToString());
}
