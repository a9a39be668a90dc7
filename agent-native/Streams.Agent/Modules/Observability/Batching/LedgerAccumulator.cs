using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>
/// The ledger entries of the open batch of one class: per CPU the first and last number, how many of them are rows and how many are lost by
/// which cause. The reader gives the numbers of a (class, cpu) in order and without gap, so rows + lost = last - first + 1 at any moment.
/// </summary>
/// <remarks>
/// A barrier cuts: the batch then has two entries of a CPU, one that ends at the barrier's S and one that begins above it. That costs 24 bytes;
/// to close the batch at every cut would cost a batch of a few rows per CPU, class and barrier on a busy host.
/// </remarks>
internal sealed class LedgerAccumulator(int cpus)
{
    /// <summary>Place of the CPU's open entry plus one; 0: none.</summary>
    private readonly int[] _open = new int[cpus];

    private Entry[] _entries = new Entry[cpus];

    /// <summary>Entries so far.</summary>
    public int Count { get; private set; }

    /// <summary>Numbers that the entries account for.</summary>
    public ulong Numbers
    {
        get
        {
            ulong sum = 0;
            foreach (ref readonly var entry in _entries.AsSpan(0, Count))
                sum += entry.Last - entry.First + 1;
            return sum;
        }
    }

    public void AddRow(ushort cpu, ulong seq)
    {
        ref var entry = ref Open(cpu, seq);
        entry.Last = seq;
        entry.Rows++;
    }

    public void AddLost(in LostRange lost)
    {
        ref var entry = ref Open(lost.Cpu, lost.First);
        entry.Last = lost.Last;
        entry.RingFull += lost.Causes.RingFull;
        entry.RateLimited += lost.Causes.RateLimited;
        entry.Shed += lost.Causes.Shed;
        entry.ReadFault += lost.Causes.ReadFault;
        entry.AgentRestart += lost.Restart;
        entry.Unknown += lost.Unknown;
    }

    /// <summary>A row that could not be stored: its number is accounted for as lost by the reader.</summary>
    public void AddRefused(ushort cpu, ulong seq)
    {
        ref var entry = ref Open(cpu, seq);
        entry.Last = seq;
        entry.Reader++;
    }

    /// <summary>What the CPU gets from now on is in an entry of its own.</summary>
    public void Cut(ushort cpu) => _open[cpu] = 0;

    /// <summary>Adds the entries to a batch.</summary>
    public void WriteTo(BatchBuilder builder)
    {
        Span<LossCount> losses = stackalloc LossCount[7];
        foreach (ref var entry in _entries.AsSpan(0, Count))
        {
            var causes = 0;
            Add(losses, ref causes, LossCause.Unknown, entry.Unknown);
            Add(losses, ref causes, LossCause.RingFull, entry.RingFull);
            Add(losses, ref causes, LossCause.RateLimited, entry.RateLimited);
            Add(losses, ref causes, LossCause.Shed, entry.Shed);
            Add(losses, ref causes, LossCause.ReadFault, entry.ReadFault);
            Add(losses, ref causes, LossCause.Reader, entry.Reader);
            Add(losses, ref causes, LossCause.AgentRestart, entry.AgentRestart);
            // At most one cut per CPU in a batch, and twice the possible CPUs are below the 4,096 entries that a batch may have.
            builder.TryAddLedger(entry.Cpu, entry.First, entry.Last, entry.Rows, losses[..causes]);
        }
    }

    /// <summary>The entries' batch is in the spool: moves the positions on.</summary>
    public void Advance(PositionTable positions, ushort classId)
    {
        foreach (ref readonly var entry in _entries.AsSpan(0, Count))
        {
            positions.Advance(classId, entry.Cpu, entry.Last, new LostCounters
            {
                RingFull = entry.RingFull,
                RateLimited = entry.RateLimited,
                Shed = entry.Shed,
                ReadFault = entry.ReadFault,
            });
        }
    }

    public void Clear()
    {
        foreach (ref var entry in _entries.AsSpan(0, Count))
        {
            _open[entry.Cpu] = 0;
            entry = default;
        }

        Count = 0;
    }

    private static void Add(Span<LossCount> losses, ref int causes, LossCause cause, ulong count)
    {
        if (count > 0)
            losses[causes++] = new LossCount(cause, count);
    }

    private ref Entry Open(ushort cpu, ulong first)
    {
        ref var place = ref _open[cpu];
        if (place == 0)
        {
            if (Count == _entries.Length)
                Array.Resize(ref _entries, Count * 2);
            _entries[Count] = new Entry { Cpu = cpu, First = first };
            place = ++Count;
        }

        return ref _entries[place - 1];
    }

    private struct Entry
    {
        public ulong First;
        public ulong Last;
        public ulong RingFull;
        public ulong RateLimited;
        public ulong Shed;
        public ulong ReadFault;
        public ulong Unknown;
        public ulong Reader;
        public ulong AgentRestart;
        public uint Rows;
        public ushort Cpu;
    }
}
