using Streams.Bench.Running;
using Streams.Schema;
using Streams.Storage;

namespace Streams.Bench.Comparisons;

/// <summary>A quarter million decoded rows of each class of the mix, and an empty block of each that takes them.</summary>
internal sealed class PreparedBlocks : IDisposable
{
    public const int RowsPerBlock = 250_000;

    private readonly List<DecodedBatch> _exec;
    private readonly List<DecodedBatch> _connect;

    private PreparedBlocks(List<DecodedBatch> exec, List<DecodedBatch> connect)
    {
        _exec = exec;
        _connect = connect;
    }

    public ClassBlock Exec { get; } = new(ProcessClasses.Exec);

    public ClassBlock Connect { get; } = new(NetworkClasses.Connect);

    private BatchOrigin Origin { get; } = new("bench-limits", "bench", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000);

    /// <exception cref="BenchFailure">A class has too few rows.</exception>
    public static PreparedBlocks Of(byte[][] batches) => new(Decode(batches, ProcessClasses.Exec), Decode(batches, NetworkClasses.Connect));

    /// <summary>The block with a quarter million rows in it, merged anew.</summary>
    public ClassBlock Merge(ClassBlock block)
    {
        block.Reset();
        foreach (var batch in block == Exec ? _exec : _connect)
        {
            if (!block.TryAdd(batch, Origin))
            {
                throw new BenchFailure($"{RowsPerBlock} rows of {block.Class.Name} do not fit into one block");
            }
        }

        return block;
    }

    /// <summary>The block of turn <paramref name="i"/>: two thirds exec, as in the mix.</summary>
    public ClassBlock OfMix(int i) => i % 3 == 2 ? Connect : Exec;

    public void Dispose()
    {
        Exec.Dispose();
        Connect.Dispose();
        _exec.ForEach(static batch => batch.Dispose());
        _connect.ForEach(static batch => batch.Dispose());
    }

    private static List<DecodedBatch> Decode(byte[][] batches, EventClass eventClass)
    {
        var decoded = new List<DecodedBatch>();
        var rows = 0;
        foreach (var batch in batches)
        {
            if (rows >= RowsPerBlock || !BatchHeader.TryRead(batch, out var header, out _) || header.ClassId != eventClass.Id)
            {
                continue;
            }

            var target = new DecodedBatch();
            decoded.Add(target);
            rows += header.Rows;
            if (!BatchDecoder.TryDecode((ReadOnlyMemory<byte>)batch, target, out var error))
            {
                throw new BenchFailure($"a prepared batch does not decode: {error}");
            }
        }

        return rows >= RowsPerBlock ? decoded : throw new BenchFailure($"the mix has {rows} rows of {eventClass.Name}, {RowsPerBlock} are needed");
    }
}
