using BenchmarkDotNet.Attributes;
using Streams.Microbench.Mix;
using Streams.Schema;

namespace Streams.Microbench.Batch;

/// <summary>The body of a batch of 1,000 exec rows through each compression and back, without what surrounds it in encode and decode.</summary>
public class Compression
{
    private readonly BatchCompressor _compressor = new();
    private byte[] _body = [];
    private int[] _cuts = [];
    private byte[] _restored = [];
    private byte[] _output = [];
    private byte[] _lz4 = [];
    private byte[] _zstd = [];

    [GlobalSetup]
    public void Open()
    {
        var batch = PreparedBatches.Templates(ProcessClasses.Exec, 1)[0];
        var header = PreparedBatches.Header(batch);
        _body = new byte[header.DecodedLength];
        BatchDecompressor.TryDecompress(header.Compression, batch.AsSpan(BatchHeader.Size + header.LedgerLength), _body);
        var cuts = new BlockCuts(new int[header.Columns], header.Columns * ColumnDescriptor.Size);
        for (var i = 0; i < header.Columns; i++)
        {
            cuts.Next((int)ColumnDescriptor.Read(_body.AsSpan(i * ColumnDescriptor.Size)).Length);
        }

        _cuts = cuts.Found.ToArray();
        _restored = new byte[_body.Length];
        _output = new byte[_body.Length];
        _lz4 = _output[..Compress(BatchCompression.Lz4)];
        _zstd = _output[..Compress(BatchCompression.Zstd)];
    }

    [GlobalCleanup]
    public void Close() => _compressor.Dispose();

    [Benchmark]
    public long Lz4Compress() => Compress(BatchCompression.Lz4);

    [Benchmark]
    public long Lz4Decompress() => Decompress(BatchCompression.Lz4, _lz4);

    [Benchmark]
    public long ZstdCompress() => Compress(BatchCompression.Zstd);

    [Benchmark]
    public long ZstdDecompress() => Decompress(BatchCompression.Zstd, _zstd);

    private int Compress(BatchCompression compression) => _compressor.Compress(compression, _body, _cuts, _output);

    private int Decompress(BatchCompression compression, byte[] compressed) => BatchDecompressor.TryDecompress(compression, compressed, _restored)
        ? _restored.Length
        : throw new InvalidOperationException("what was just compressed does not decompress");
}
