using BenchmarkDotNet.Attributes;
using Streams.Microbench.Mix;
using Streams.Schema;
using Streams.Storage;

namespace Streams.Microbench.Merge;

/// <summary>250 decoded batches of 1,000 exec rows brought together into one block; the copying itself is Native's.</summary>
public class BlockMerge
{
    private const int Batches = 250;

    private readonly BatchOrigin _origin = new("agent-1", "host-1", 1_700_000_000_000_000);
    private DecodedBatch[] _batches = [];
    private ClassBlock _block = null!;

    [GlobalSetup]
    public void Open()
    {
        _batches = PreparedBatches.Decode(PreparedBatches.Templates(ProcessClasses.Exec, Batches));
        _block = new ClassBlock(ProcessClasses.Exec);
    }

    [GlobalCleanup]
    public void Close()
    {
        _block.Dispose();
        Array.ForEach(_batches, static batch => batch.Dispose());
    }

    [Benchmark]
    public long Block()
    {
        _block.Reset();
        foreach (var batch in _batches)
        {
            if (!_block.TryAdd(batch, _origin))
            {
                throw new InvalidOperationException("the block is full");
            }
        }

        return _block.Rows;
    }
}
