using System.Runtime.InteropServices;
using System.Text;
using Streams.Agent.Tests.Batching;
using Streams.Schema;

namespace Streams.Agent.Tests.Observability;

/// <summary>What a sensor sent of one class under one epoch: rows, losses by cause, and the last barrier's sum.</summary>
internal sealed record SensorLedger(ulong Rows, Dictionary<LossCause, ulong> Lost, ulong Stamped, string Reason)
{
    /// <summary>Fails unless the entries of each CPU follow each other from 1.</summary>
    public static SensorLedger Of(FakeSink sink, string name, Epoch? epoch)
    {
        using var decoded = new DecodedBatch();
        var last = new Dictionary<ushort, ulong>();
        var lost = new Dictionary<LossCause, ulong>();
        ulong rows = 0, stamped = 0;
        var reason = "";
        foreach (var bytes in sink.Sent)
        {
            Assert.True(BatchDecoder.TryDecode(bytes, decoded, out var error), error.ToString());
            if (epoch is { } only && decoded.Header.SensorEpoch != only)
                continue;
            if (decoded.Class.Id == LedgerClasses.Barrier.Id)
                (stamped, reason) = Barrier(decoded, name);
            if (decoded.Class.Name != name)
                continue;
            foreach (var entry in decoded.Ledger.Entries)
            {
                Assert.Equal(last.GetValueOrDefault(entry.Cpu) + 1, entry.First);
                last[entry.Cpu] = entry.Last;
                rows += entry.Rows;
                foreach (var loss in decoded.Ledger.Losses(entry))
                    lost[loss.Cause] = lost.GetValueOrDefault(loss.Cause) + loss.Count;
            }
        }

        return new SensorLedger(rows, lost, stamped, reason);
    }

    private static (ulong Stamped, string Reason) Barrier(DecodedBatch decoded, string name)
    {
        var barrier = LedgerClasses.Barrier;
        var classes = Texts(decoded.Column(barrier.OrdinalOf("class")));
        var reasons = Texts(decoded.Column(barrier.OrdinalOf("reason")));
        var stamped = MemoryMarshal.Cast<byte, ulong>(decoded.Column(barrier.OrdinalOf("stamped")).Data);
        ulong sum = 0;
        for (var i = 0; i < classes.Count; i++)
            sum += classes[i] == name ? stamped[i] : 0;
        return (sum, reasons[0]);
    }

    // A dictionary column here never has more than 256 keys.
    private static List<string> Texts(DecodedColumn column)
    {
        var keys = new List<string>();
        var walk = column.Strings();
        while (walk.MoveNext())
            keys.Add(Encoding.UTF8.GetString(walk.Current));
        return [.. column.Indices.ToArray().Select(index => keys[index])];
    }
}
