using System.Diagnostics;

namespace Streams.Fuzz;

/// <summary>Runs a target on its corpus, then on changed inputs, and stops at the first that breaks something.</summary>
internal sealed class FuzzRunner(FuzzTarget target, Corpus corpus)
{
    /// <summary>A parser of at most a message is done in this, however the bytes are.</summary>
    public const int MaxMilliseconds = 100;

    /// <summary>Bytes allocated for a byte of input, beside <see cref="AllocationFloor"/>.</summary>
    public const int AllocationFactor = 64;

    public const long AllocationFloor = 1 << 20;

    /// <summary>How often an input that exceeds a cap is tried again: a busy machine, a first use and a collection are no fault of it.</summary>
    private const int Retries = 3;

    /// <summary>What leads further, at most: more would only be drawn less often.</summary>
    private const int MaxPool = 4096;

    private readonly List<byte[]> _pool = [];
    private readonly HashSet<int> _outcomes = [];

    public long Inputs { get; private set; }

    /// <summary>Different things that the target did.</summary>
    public int Outcomes => _outcomes.Count;

    /// <summary>Longest time of an input, ms.</summary>
    public double Slowest { get; private set; }

    /// <summary>Most bytes that an input allocated.</summary>
    public long Fattest { get; private set; }

    /// <summary>The corpus and the seeds, each of which must be good.</summary>
    public FuzzRunner RunCorpus()
    {
        foreach (var (name, input) in corpus.Read().Concat(target.Seeds().Select((seed, at) => ($"seed {at}", seed))))
        {
            try
            {
                Judge(input);
            }
            catch (FuzzException broken)
            {
                throw new FuzzException($"{target.Name}: {name}: {broken.Message}", broken.InnerException);
            }

            _pool.Add(input);
        }

        if (_pool.Count == 0)
        {
            _pool.Add([]);
        }

        return this;
    }

    /// <summary>Changed inputs, until the time or their number is over. What breaks something goes into the corpus.</summary>
    /// <param name="grow">Whether inputs that did something new go into the corpus too.</param>
    public void Mutate(ulong seed, TimeSpan time, long most = long.MaxValue, bool grow = false)
    {
        var mutator = new Mutator(seed, target);
        var started = Stopwatch.GetTimestamp();
        for (long i = 0; i < most && ((i & 63) != 0 || Stopwatch.GetElapsedTime(started) < time); i++)
        {
            var input = mutator.Next(_pool);
            try
            {
                if (Judge(input) && _pool.Count < MaxPool)
                {
                    _pool.Add(input.ToArray());
                    if (grow)
                    {
                        corpus.Write("grown", input);
                    }
                }
            }
            catch (FuzzException broken)
            {
                throw new FuzzException($"{target.Name}: {corpus.Write("broke", input)}: {broken.Message}", broken.InnerException);
            }
        }
    }

    /// <summary>Runs one input and holds it to the caps; whether it did something new.</summary>
    private bool Judge(ReadOnlySpan<byte> input)
    {
        Inputs++;
        var (outcome, milliseconds, bytes) = Measure(input);
        var most = (AllocationFactor * (long)input.Length) + AllocationFloor + target.ExtraAllocation;
        for (var again = 0; again < Retries && (milliseconds > MaxMilliseconds || bytes > most); again++)
        {
            var (_, time, size) = Measure(input);
            (milliseconds, bytes) = (Math.Min(milliseconds, time), Math.Min(bytes, size));
        }

        if (milliseconds > MaxMilliseconds || bytes > most)
        {
            throw new FuzzException($"{milliseconds:F0} ms (at most {MaxMilliseconds}) and {bytes} bytes allocated (at most {most}) for {input.Length} bytes");
        }

        Slowest = Math.Max(Slowest, milliseconds);
        Fattest = Math.Max(Fattest, bytes);
        return _outcomes.Add(outcome);
    }

    private (int Outcome, double Milliseconds, long Bytes) Measure(ReadOnlySpan<byte> input)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var started = Stopwatch.GetTimestamp();
        int outcome;
        try
        {
            outcome = target.Run(input);
        }
        catch (Exception fault) when (fault is not FuzzException)
        {
            throw new FuzzException($"{fault.GetType().Name}: {fault.Message}", fault);
        }

        return (outcome, Stopwatch.GetElapsedTime(started).TotalMilliseconds, GC.GetAllocatedBytesForCurrentThread() - allocated);
    }
}
