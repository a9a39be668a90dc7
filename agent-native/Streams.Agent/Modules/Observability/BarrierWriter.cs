using System.Text;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.Agent.Modules.Observability;

/// <summary>
/// Writes ledger barriers: what the kernel has stamped and filtered per (class, cpu), and what it missed per class (on the class's first row:
/// misses are counted per program, not per CPU; events of a hand-over per CPU, on top). The batches' sensor epoch is that of the counted
/// instance.
/// </summary>
internal sealed class BarrierWriter : IDisposable
{
    private static readonly EventClass Barrier = LedgerClasses.Barrier;
    private static readonly int Class = Barrier.OrdinalOf("class");
    private static readonly int Cpu = Barrier.OrdinalOf("barrier_cpu");
    private static readonly int Stamped = Barrier.OrdinalOf("stamped");
    private static readonly int Filtered = Barrier.OrdinalOf("filtered");
    private static readonly int Missed = Barrier.OrdinalOf("missed");
    private static readonly int Reason = Barrier.OrdinalOf("reason");

    private readonly UserSpaceProducer _producer;
    private readonly (ushort Id, byte[] Name)[] _classes;
    private volatile LedgerReport[] _report = [];

    /// <param name="positions">Where the barrier's own numbers go on after a take-over.</param>
    public BarrierWriter(IBatchSink sink, Epoch sensorEpoch, PositionTable positions, TimeProvider clock)
    {
        _producer = new UserSpaceProducer(
            Barrier, sink, sensorEpoch, clock, positions.Read(Barrier.Id, UserSpaceProducer.Cpu).Seq,
            last => positions.Advance(Barrier.Id, UserSpaceProducer.Cpu, last, default));
        _classes = new (ushort, byte[])[RecordClass.All.Length];
        for (var i = 0; i < _classes.Length; i++)
        {
            var id = RecordClass.All[i];
            Catalogue.TryGet(id, out var eventClass);
            _classes[i] = (id, Encoding.UTF8.GetBytes(eventClass!.Name));
        }
    }

    /// <summary>Sums of the last barrier, for the heartbeat.</summary>
    public IReadOnlyList<LedgerReport> Report => _report;

    /// <summary>Barriers sent.</summary>
    public ulong Sent { get; private set; }

    /// <summary>Writes and sends a barrier. False when the link has no room; its rows go with the next one.</summary>
    public bool Write(StampSnapshot snapshot, IReadOnlyList<ProgramMiss> misses, bool stop)
    {
        var report = new LedgerReport[_classes.Length];
        for (var i = 0; i < _classes.Length; i++)
        {
            var (id, name) = _classes[i];
            ulong missed = 0, stamped = 0, filtered = 0;
            foreach (var miss in misses)
                missed += miss.Class == id ? miss.Missed : 0;
            var left = missed;
            for (var cpu = 0; cpu < snapshot.Cpus; cpu++)
            {
                ref readonly var slot = ref snapshot[id, cpu];
                if (slot.Seq == 0 && slot.Filtered == 0 && slot.Unseen == 0 && left == 0)
                    continue;
                Row(name, (ushort)cpu, slot.Seq, slot.Filtered, left + slot.Unseen, stop);
                left = 0;
                missed += slot.Unseen;
                stamped += slot.Seq;
                filtered += slot.Filtered;
            }

            report[i] = new LedgerReport(id, stamped, filtered, missed);
        }

        _report = report;
        var sent = _producer.TryFlush();
        Sent += sent ? 1UL : 0;
        return sent;
    }

    public void Dispose() => _producer.Dispose();

    private void Row(ReadOnlySpan<byte> name, ushort cpu, ulong stamped, ulong filtered, ulong missed, bool stop)
    {
        var reason = stop ? "stop"u8 : "periodic"u8;
        if (!_producer.TryBeginRow(name.Length + reason.Length))
            return;
        var row = _producer.Builder;
        row.TrySetDictionary(Class, name);
        row.SetUInt16(Cpu, cpu);
        row.SetUInt64(Stamped, stamped);
        row.SetUInt64(Filtered, filtered);
        row.SetUInt64(Missed, missed);
        row.TrySetDictionary(Reason, reason);
        _producer.EndRow();
    }
}
