using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using LibbpfSharp.Probes;
using Streams.Agent.Configuration;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Observability;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Agent.Tests.Batching;
using Streams.Schema;
using Streams.Testing;
using Xunit.Abstractions;

namespace Streams.Agent.Tests.Observability;

/// <summary>The real sensor while every CPU starts programs without end: each barrier must be decidable from what is in the ledger.</summary>
public sealed class BarrierUnderLoadTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(4);

    // A ring of 1 MiB takes it all, one of a page overflows: lost ranges go across S as well.
    [Theory]
    [InlineData(1 << 20, false)]
    [InlineData(4096, true)]
    public void Every_entry_is_below_or_above_S_and_adds_up_to_it(int ringBytes, bool overflows)
    {
        if (!KernelProbe.CanAttach(AttachPoint.BtfTracepoint, "sched_process_exec").Supported)
        {
            output.WriteLine("skipped: this kernel or user may not attach tp_btf/sched_process_exec");
            return;
        }

        using var directory = new TempDirectory("sensor");
        using var sink = new FakeSink();
        Run(sink, directory.Path, ringBytes, overflows);
        Check(sink, overflows);
    }

    private static void Run(FakeSink sink, string directory, int ringBytes, bool overflows)
    {
        var instance = SensorInstance.Start(new SensorOptions
        {
            Name = $"barrier-{Environment.ProcessId}-{ringBytes}",
            RingBytes = ringBytes,
            WakeupBytes = (uint)ringBytes / 32,
            RuntimeDirectory = directory,
        });
        using var log = new MemoryStream();
        // Batches stay open much longer than a barrier: without the cut nearly all would go across one.
        var configuration = new AgentConfiguration { BatchRows = 10_000, BatchBusyMilliseconds = 5000, BatchQuietMilliseconds = 5000 };
        var agentLog = new AgentLog(log, AgentLogLevel.Error, TimeProvider.System);
        using var session = new SensorSession(configuration, instance, sink, agentLog, TimeProvider.System)
        {
            BarrierMilliseconds = 1,
        };
        instance.Attach();
        var shells = Enumerable.Range(0, Environment.ProcessorCount).Select(StartShell).ToList();
        try
        {
            Exception? failure = null;
            var reader = new Thread(() => failure = Record.Exception(session.Run));
            if (overflows)
            {
                // A reader on a core of its own may keep up with what these shells start.
                var stamped = new StampSnapshot();
                Assert.True(SpinWait.SpinUntil(() => RingFull(instance, stamped) > 0, Load * 5), "a ring of a page without a reader did not overflow");
            }

            reader.Start();
            Thread.Sleep(Load);
            session.Stop(TimeSpan.FromSeconds(5));
            Assert.True(reader.Join(TimeSpan.FromSeconds(10)), "the reader did not end");
            Assert.Null(failure);
        }
        finally
        {
            foreach (var shell in shells)
            {
                shell.Kill();
                shell.WaitForExit();
                shell.Dispose();
            }
        }

        Assert.Equal("", System.Text.Encoding.UTF8.GetString(log.ToArray()));
        Assert.Equal((0UL, 0UL, 0UL), (session.Reader.Unknown, session.Reader.Late, session.Reader.Malformed));
    }

    private static ulong RingFull(SensorInstance instance, StampSnapshot snapshot)
    {
        instance.Read(snapshot);
        ulong sum = 0;
        foreach (var classId in RecordClass.All)
        {
            foreach (ref readonly var slot in snapshot.OfClass(classId))
                sum += slot.Lost.RingFull;
        }

        return sum;
    }

    private void Check(FakeSink sink, bool overflows)
    {
        using var decoded = new DecodedBatch();
        var balances = new Dictionary<(string Class, ulong Cpu), Balance>();
        int barriers = 0, across = 0;
        foreach (var bytes in sink.Sent)
        {
            Assert.True(BatchDecoder.TryDecode(bytes, decoded, out var error), error.ToString());
            if (decoded.Class.Id != LedgerClasses.Barrier.Id)
            {
                Take(decoded, balances);
                continue;
            }

            foreach (var (key, stamped) in Stamped(decoded))
            {
                barriers++;
                if (stamped > 0)
                    across += balances[key].CheckUpTo(stamped) ? 1 : 0;
            }
        }

        var stored = balances.Values.Sum(balance => (long)balance.Rows);
        var lost = balances.Values.Sum(balance => (long)balance.Lost);
        output.WriteLine($"{barriers} statements of (class, cpu), {across} with later numbers before them; {stored} rows, {lost} lost");
        Assert.True(across > 0, "no barrier met numbers above S: the load was no load");
        Assert.Equal(overflows, lost > 0);
    }

    // Rows and ledger of a batch must agree entry by entry, also where a CPU has two.
    private static void Take(DecodedBatch decoded, Dictionary<(string Class, ulong Cpu), Balance> balances)
    {
        // A batch of losses alone has no rows and so no columns.
        var seqs = decoded.Has(ClaimColumns.Seq) ? MemoryMarshal.Cast<byte, ulong>(decoded.Column(ClaimColumns.Seq).Data).ToArray() : [];
        var cpus = decoded.Has(ClaimColumns.Cpu) ? MemoryMarshal.Cast<byte, ushort>(decoded.Column(ClaimColumns.Cpu).Data).ToArray() : [];
        foreach (var entry in decoded.Ledger.Entries)
        {
            var rows = 0u;
            for (var i = 0; i < seqs.Length; i++)
                rows += cpus[i] == entry.Cpu && seqs[i] >= entry.First && seqs[i] <= entry.Last ? 1u : 0;
            Assert.Equal(entry.Rows, rows);
            var key = (decoded.Class.Name, (ulong)entry.Cpu);
            if (!balances.TryGetValue(key, out var balance))
                balances.Add(key, balance = new Balance());
            balance.Add(entry);
        }
    }

    private static List<((string Class, ulong Cpu) Key, ulong Stamped)> Stamped(DecodedBatch decoded)
    {
        var barrier = LedgerClasses.Barrier;
        var names = new List<string>();
        var walk = decoded.Column(barrier.OrdinalOf("class")).Strings();
        while (walk.MoveNext())
            names.Add(System.Text.Encoding.UTF8.GetString(walk.Current));
        var places = decoded.Column(barrier.OrdinalOf("class")).Indices.ToArray();
        var cpus = MemoryMarshal.Cast<byte, ushort>(decoded.Column(barrier.OrdinalOf("barrier_cpu")).Data).ToArray();
        var stamped = MemoryMarshal.Cast<byte, ulong>(decoded.Column(barrier.OrdinalOf("stamped")).Data).ToArray();
        return [.. stamped.Select((value, i) => ((names[places[i]], (ulong)cpus[i]), value))];
    }

    private static Process StartShell(int cpu) => Process.Start(
        "taskset", ["-c", cpu.ToString(CultureInfo.InvariantCulture), "/bin/sh", "-c", "while :; do /bin/true; done"]);

    private sealed class Balance
    {
        private readonly List<LedgerEntry> _entries = [];

        public ulong Rows { get; private set; }

        public ulong Lost { get; private set; }

        public void Add(in LedgerEntry entry)
        {
            Assert.Equal(_entries.Count == 0 ? 1 : _entries[^1].Last + 1, entry.First);
            _entries.Add(entry);
            Rows += entry.Rows;
            Lost += entry.Last - entry.First + 1 - entry.Rows;
        }

        /// <summary>What ledger_balance does: covered by entries up to S must be S. True when there are entries above it.</summary>
        public bool CheckUpTo(ulong stamped)
        {
            ulong covered = 0;
            foreach (var entry in _entries)
            {
                Assert.True(entry.Last <= stamped || entry.First > stamped, $"{entry.First}-{entry.Last} goes across {stamped}");
                covered += entry.Last <= stamped ? entry.Last - entry.First + 1 : 0;
            }

            Assert.Equal(stamped, covered);
            return _entries[^1].First > stamped;
        }
    }
}
