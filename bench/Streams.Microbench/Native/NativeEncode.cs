using BenchmarkDotNet.Attributes;
using Streams.Microbench.Mix;
using Streams.Schema;
using Streams.Storage;

namespace Streams.Microbench.Native;

/// <summary>A block of 250,000 rows encoded as ClickHouse's Native: copies, dictionaries united and remapped, server columns filled in.</summary>
public class NativeEncode
{
    private const int Batches = 250;

    private readonly BatchOrigin _origin = new("agent-1", "host-1", 1_700_000_000_000_000);
    private readonly SegmentedBuffer _buffer = new();
    private readonly List<DecodedBatch> _batches = [];
    private ClassBlock _exec = null!;
    private ClassBlock _connect = null!;

    [GlobalSetup]
    public void Open()
    {
        _exec = Merge(ProcessClasses.Exec);
        _connect = Merge(NetworkClasses.Connect);
    }

    [GlobalCleanup]
    public void Close()
    {
        _exec.Dispose();
        _connect.Dispose();
        _buffer.Dispose();
        _batches.ForEach(static batch => batch.Dispose());
        _batches.Clear();
    }

    [Benchmark]
    public long ExecBlock() => Encode(_exec);

    [Benchmark]
    public long ConnectBlock() => Encode(_connect);

    private long Encode(ClassBlock block)
    {
        _buffer.Clear();
        block.Encode(_buffer);
        return _buffer.Length;
    }

    private ClassBlock Merge(EventClass eventClass)
    {
        var block = new ClassBlock(eventClass);
        foreach (var batch in PreparedBatches.Decode(PreparedBatches.Templates(eventClass, Batches)))
        {
            _batches.Add(batch);
            if (!block.TryAdd(batch, _origin))
            {
                throw new InvalidOperationException("the block is full");
            }
        }

        return block;
    }
}
