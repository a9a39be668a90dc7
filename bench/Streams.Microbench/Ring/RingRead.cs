using BenchmarkDotNet.Attributes;

namespace Streams.Microbench.Ring;

/// <summary>Records of 120 bytes out of a kernel's ring, committed every 64: what the agent's reader thread does before it looks at one.</summary>
public class RingRead
{
    private const int Records = 100_000;
    private const int CommitEvery = 64;

    private KernelRing? _ring;

    [GlobalSetup]
    public void Open() => _ring = KernelRing.Open();

    [IterationSetup]
    public void Fill() => _ring!.Fill(Records);

    [GlobalCleanup]
    public void Close() => _ring?.Dispose();

    [Benchmark(OperationsPerInvoke = Records)]
    public long Record()
    {
        var reader = _ring!.Reader;
        var bytes = 0L;
        var leased = 0;
        while (reader.TryRead(out var record))
        {
            bytes += record.Data.Length + record.Data[0];
            if (++leased % CommitEvery == 0)
            {
                reader.Commit();
            }
        }

        reader.Commit();
        return leased == Records ? bytes : throw new InvalidOperationException($"{leased} records, expected {Records}");
    }
}
