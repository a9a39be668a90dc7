using System.Runtime.InteropServices;
using System.Text;
using Streams.Agent.Modules.Comm;
using Streams.Schema;

namespace Streams.Agent.Tests.Takeover;

/// <summary>
/// All that the lives of a sensor handed on, checked: each number of a (class, cpu) is once a row or once a counted loss.
/// </summary>
internal sealed class LifeLedger : IDisposable
{
    private readonly DecodedBatch _decoded = new();
    private readonly Dictionary<(Epoch Epoch, string Class, ushort Cpu), ulong> _last = [];
    private readonly Dictionary<(string Class, LossCause Cause), ulong> _lost = [];

    /// <summary>First argument of each exec row whose program is the workload's.</summary>
    public List<string> Marks { get; } = [];

    /// <summary>The last barrier's words by (epoch, class, cpu).</summary>
    public Dictionary<(Epoch Epoch, string Class, ushort Cpu), (ulong Stamped, ulong Missed, string Reason)> Barriers { get; } = [];

    public IEnumerable<Epoch> Epochs => _last.Keys.Select(key => key.Epoch).Distinct();

    public ulong Lost(LossCause cause) => _lost.Where(item => item.Key.Cause == cause).Aggregate(0ul, (sum, item) => sum + item.Value);

    public ulong LostOf(string name) => _lost.Where(item => item.Key.Class == name).Aggregate(0ul, (sum, item) => sum + item.Value);

    public ulong MissedOf(string name) =>
        Barriers.Where(item => item.Key.Class == name).Aggregate(0ul, (sum, item) => sum + item.Value.Missed);

    public static LifeLedger Read(string directory, string mark)
    {
        var ledger = new LifeLedger();
        foreach (var bytes in FileSink.ReadAll(directory))
            ledger.Take(bytes, mark);
        return ledger;
    }

    /// <summary>For every (class, cpu) the entries end exactly at the S of the last barrier, which was one at a stop.</summary>
    public void CheckEnds()
    {
        Assert.NotEmpty(Barriers);
        foreach (var (key, barrier) in Barriers)
        {
            Assert.Equal("stop", barrier.Reason);
            var last = _last.GetValueOrDefault(key);
            Assert.True(last == barrier.Stamped, $"{key}: {last} accounted for, {barrier.Stamped} stamped");
        }
    }

    public void Dispose() => _decoded.Dispose();

    private void Take(byte[] bytes, string mark)
    {
        Assert.True(BatchDecoder.TryDecode(bytes, _decoded, out var error), error.ToString());
        var name = _decoded.Class.Name;
        var seqs = _decoded.Has(ClaimColumns.Seq) ? MemoryMarshal.Cast<byte, ulong>(_decoded.Column(ClaimColumns.Seq).Data).ToArray() : [];
        var cpus = _decoded.Has(ClaimColumns.Cpu) ? MemoryMarshal.Cast<byte, ushort>(_decoded.Column(ClaimColumns.Cpu).Data).ToArray() : [];
        Assert.Equal(seqs.Length, seqs.Zip(cpus).Distinct().Count());
        foreach (var entry in _decoded.Ledger.Entries)
        {
            var key = (_decoded.Header.SensorEpoch, name, entry.Cpu);
            var expected = _last.GetValueOrDefault(key) + 1;
            Assert.True(expected == entry.First, $"{key}: {entry.First}-{entry.Last} after {expected - 1}");
            _last[key] = entry.Last;
            var rows = seqs.Where((seq, i) => cpus[i] == entry.Cpu && seq >= entry.First && seq <= entry.Last).Count();
            Assert.Equal(entry.Rows, (uint)rows);
            foreach (var loss in _decoded.Ledger.Losses(entry))
                _lost[(name, loss.Cause)] = _lost.GetValueOrDefault((name, loss.Cause)) + loss.Count;
        }

        if (name == LedgerClasses.Barrier.Name)
            TakeBarriers();
        else if (name == ProcessClasses.Exec.Name && seqs.Length > 0)
            TakeMarks(mark);
    }

    private void TakeBarriers()
    {
        Assert.All(_decoded.Ledger.Entries.ToArray(), entry => Assert.Equal(UserSpaceProducer.Cpu, entry.Cpu));
        var barrier = LedgerClasses.Barrier;
        var classes = Texts(barrier.OrdinalOf("class"));
        var reasons = Texts(barrier.OrdinalOf("reason"));
        var cpus = MemoryMarshal.Cast<byte, ushort>(_decoded.Column(barrier.OrdinalOf("barrier_cpu")).Data);
        var stamped = MemoryMarshal.Cast<byte, ulong>(_decoded.Column(barrier.OrdinalOf("stamped")).Data);
        var missed = MemoryMarshal.Cast<byte, ulong>(_decoded.Column(barrier.OrdinalOf("missed")).Data);
        for (var i = 0; i < classes.Count; i++)
        {
            var key = (_decoded.Header.SensorEpoch, classes[i], cpus[i]);
            if (Barriers.TryGetValue(key, out var before))
                Assert.True(before.Stamped <= stamped[i] && before.Missed <= missed[i], $"{key}: a counter went back");
            // What a barrier says of S is in the batches before it.
            var last = _last.GetValueOrDefault(key);
            Assert.True(last >= stamped[i], $"{key}: a barrier at {stamped[i]} with {last} handed on");
            Barriers[key] = (stamped[i], missed[i], reasons[i]);
        }
    }

    private void TakeMarks(string mark)
    {
        var walk = _decoded.Column(ProcessClasses.Exec.OrdinalOf("argv")).Strings();
        while (walk.MoveNext())
        {
            var text = Encoding.UTF8.GetString(walk.Current);
            if (text.Contains(mark, StringComparison.Ordinal))
                Marks.Add(text);
        }
    }

    // A dictionary column here never has more than 256 keys.
    private List<string> Texts(int ordinal)
    {
        var keys = new List<string>();
        var walk = _decoded.Column(ordinal).Strings();
        while (walk.MoveNext())
            keys.Add(Encoding.UTF8.GetString(walk.Current));
        return [.. _decoded.Column(ordinal).Indices.ToArray().Select(index => keys[index])];
    }
}
