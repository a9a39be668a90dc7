using Streams.Agent.Modules.Observability.Sensor;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>
/// The ledger entries of the open batch of one class: per CPU the first and last number, how many of them are rows and how many are lost by
/// which cause. The reader gives the numbers of a (class, cpu) in order and without gap, so rows + lost = last - first + 1 at any moment.
/// </summary>
internal sealed class LedgerAccumulator(int cpus)
{
    private readonly Entry[] _entries = new Entry[cpus];
    private readonly ushort[] _touched = new ushort[cpus];

    /// <summary>CPUs that have an entry.</summary>
    public int Count { get; private set; }

    public void AddRow(ushort cpu, ulong seq)
    {
        ref var entry = ref Touch(cpu, seq);
        entry.Last = seq;
        entry.Rows++;
    }

    public void AddLost(in LostRange lost)
    {
        ref var entry = ref Touch(lost.Cpu, lost.First);
        entry.Last = lost.Last;
        entry.RingFull += lost.Causes.RingFull;
        entry.RateLimited += lost.Causes.RateLimited;
        entry.Shed += lost.Causes.Shed;
        entry.ReadFault += lost.Causes.ReadFault;
        entry.Unknown += lost.Unknown;
    }

    /// <summary>A row that could not be stored: its number is accounted for as lost by the reader.</summary>
    public void AddRefused(ushort cpu, ulong seq)
    {
        ref var entry = ref Touch(cpu, seq);
        entry.Last = seq;
        entry.Reader++;
    }

    /// <summary>Adds the entries to a batch.</summary>
    public void WriteTo(BatchBuilder builder)
    {
        Span<LossCount> losses = stackalloc LossCount[6];
        for (var i = 0; i < Count; i++)
        {
            var cpu = _touched[i];
            ref var entry = ref _entries[cpu];
            var causes = 0;
            Add(losses, ref causes, LossCause.Unknown, entry.Unknown);
            Add(losses, ref causes, LossCause.RingFull, entry.RingFull);
            Add(losses, ref causes, LossCause.RateLimited, entry.RateLimited);
            Add(losses, ref causes, LossCause.Shed, entry.Shed);
            Add(losses, ref causes, LossCause.ReadFault, entry.ReadFault);
            Add(losses, ref causes, LossCause.Reader, entry.Reader);
            // Possible CPUs are below the 4,096 entries that a batch may have.
            builder.TryAddLedger(cpu, entry.First, entry.Last, entry.Rows, losses[..causes]);
        }
    }

    public void Clear()
    {
        for (var i = 0; i < Count; i++)
            _entries[_touched[i]] = default;
        Count = 0;
    }

    private static void Add(Span<LossCount> losses, ref int causes, LossCause cause, ulong count)
    {
        if (count > 0)
            losses[causes++] = new LossCount(cause, count);
    }

    private ref Entry Touch(ushort cpu, ulong first)
    {
        ref var entry = ref _entries[cpu];
        if (entry.First == 0)
        {
            entry.First = first;
            _touched[Count++] = cpu;
        }

        return ref entry;
    }

    private struct Entry
    {
        /// <summary>0: no entry, numbers start at 1.</summary>
        public ulong First;
        public ulong Last;
        public ulong RingFull;
        public ulong RateLimited;
        public ulong Shed;
        public ulong ReadFault;
        public ulong Unknown;
        public ulong Reader;
        public uint Rows;
    }
}
