using BenchmarkDotNet.Attributes;
using Streams.Microbench.Mix;
using Streams.Schema;

namespace Streams.Microbench.Batch;

/// <summary>1,000 rows of process_exec out of a builder into a batch, once for each compression.</summary>
public class BatchEncode
{
    private const int Rows = 1000;

    private readonly BatchCompressor _compressor = new();
    private readonly BatchName _name = new(Epoch.NewRandom(), 1, 0);
    private readonly BatchStamp _stamp = new(Epoch.NewRandom());
    private BatchBuilder _builder = null!;
    private byte[] _sealed = [];

    [GlobalSetup]
    public void Open()
    {
        _builder = new BatchBuilder(ProcessClasses.Exec, null, _compressor);
        var rows = new RowSource();
        for (var row = 0; row < Rows; row++)
        {
            rows.AppendExec(_builder, row);
        }

        _builder.TryAddLedger(0, 1, Rows, Rows);
        _sealed = new byte[Limits.MaxStoredBytes];
    }

    [GlobalCleanup]
    public void Close()
    {
        _builder.Dispose();
        _compressor.Dispose();
    }

    [Benchmark]
    public long Plain() => Seal(BatchCompression.None);

    [Benchmark]
    public long Lz4() => Seal(BatchCompression.Lz4);

    [Benchmark]
    public long Zstd() => Seal(BatchCompression.Zstd);

    private int Seal(BatchCompression compression) => _builder.Seal(_name, _stamp, compression, _sealed);
}
