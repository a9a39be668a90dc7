using System.Runtime.InteropServices;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// The ledger rows of a range, as one block of <c>loss_ledger</c>. Copies what it needs, so the batches may go. Losses of one entry
/// with the same cause are added up; a cause that this build does not know counts as unknown.
/// </summary>
public sealed class LedgerBlock : NativeBlock, IDisposable
{
    private readonly LowCardinalityColumn _dictionary = new();
    private readonly List<Row> _rows = [];
    private readonly List<ulong> _lost = []; // LossCauses.Count values per row

    public LedgerBlock()
        : base(LedgerTable.Definition)
    {
    }

    public override int Rows => _rows.Count;

    /// <summary>Adds all entries of a batch; false when the block is full and must be inserted first.</summary>
    /// <param name="revision">Of the batch's entries the highest revision counts; see <see cref="LedgerTable"/>.</param>
    public bool TryAdd(DecodedBatch batch, in BatchOrigin origin, byte revision = 0)
    {
        var entries = batch.Ledger.Entries;
        if (_rows.Count + entries.Length > NativeLimits.MaxRows / 4)
        {
            return false;
        }

        for (var i = 0; i < entries.Length; i++)
        {
            _rows.Add(new Row(origin, batch.Header, batch.Class.Name, entries[i], (ushort)i, (ushort)entries.Length, revision));
            var start = _lost.Count;
            CollectionsMarshal.SetCount(_lost, start + LossCauses.Count);
            var lost = CollectionsMarshal.AsSpan(_lost)[start..];
            lost.Clear();
            foreach (var loss in batch.Ledger.Losses(entries[i]))
            {
                lost[(int)LossCauses.OrUnknown(loss.Cause)] += loss.Count;
            }
        }

        return true;
    }

    /// <summary>Adds what is to be said of a batch instead of what it says itself.</summary>
    public bool TryAdd(LedgerAccount account, in BatchOrigin origin, byte revision = 0)
    {
        if (_rows.Count + account.Lines.Count > NativeLimits.MaxRows / 4)
        {
            return false;
        }

        for (var i = 0; i < account.Lines.Count; i++)
        {
            var line = account.Lines[i];
            var entry = new LedgerEntry(line.Cpu, line.First, line.Last, line.Rows);
            _rows.Add(new Row(origin, account.Header, account.Class, entry, (ushort)i, (ushort)account.Lines.Count, revision));
            _lost.AddRange(line.Lost);
        }

        return true;
    }

    /// <summary>Forgets the rows.</summary>
    public void Reset()
    {
        _rows.Clear();
        _lost.Clear();
    }

    public void Dispose() => _dictionary.Dispose();

    protected override void EncodeColumn(int ordinal, SegmentedBuffer buffer)
    {
        if (ordinal >= LedgerTable.HeadColumns)
        {
            for (var i = ordinal - LedgerTable.HeadColumns; i < _lost.Count; i += LossCauses.Count)
            {
                buffer.Fill(_lost[i], 1);
            }

            return;
        }

        var name = Table.Columns[ordinal].Name;
        if (name is "agent_id" or "host" or "class")
        {
            EncodeText(name, buffer);
            return;
        }

        foreach (ref readonly var row in CollectionsMarshal.AsSpan(_rows))
        {
            EncodeNumber(name, row, buffer);
        }
    }

    private static void EncodeNumber(string name, in Row row, SegmentedBuffer buffer)
    {
        switch (name)
        {
            case "received_at": buffer.Fill(row.Origin.ReceivedAt, 1); break;
            case "epoch": buffer.Fill(row.Header.Name.Epoch.Prefix, 1); break;
            case "epoch_low": buffer.Fill(row.Header.Name.Epoch.Suffix, 1); break;
            case "lane": buffer.Fill(row.Header.Name.Lane, 1); break;
            case "batch": buffer.Fill(row.Header.Name.N, 1); break;
            case "sensor_epoch": buffer.Fill(row.Header.SensorEpoch.Prefix, 1); break;
            case "priority": buffer.Fill((byte)row.Header.Priority, 1); break;
            case "catalogue": buffer.Fill(row.Header.CatalogueVersion, 1); break;
            case "batch_rows": buffer.Fill((uint)row.Header.Rows, 1); break;
            case "entry": buffer.Fill(row.Index, 1); break;
            case "entries": buffer.Fill(row.Entries, 1); break;
            case "cpu": buffer.Fill(row.Entry.Cpu, 1); break;
            case "first": buffer.Fill(row.Entry.First, 1); break;
            case "last": buffer.Fill(row.Entry.Last, 1); break;
            case "rows": buffer.Fill(row.Entry.Rows, 1); break;
            case "revision": buffer.Fill(row.Revision, 1); break;
            default: throw new InvalidOperationException($"loss_ledger has no value for column {name}");
        }
    }

    private void EncodeText(string name, SegmentedBuffer buffer)
    {
        _dictionary.Clear();
        foreach (ref readonly var row in CollectionsMarshal.AsSpan(_rows))
        {
            _dictionary.Add(name switch { "agent_id" => row.Origin.AgentId, "host" => row.Origin.Host, _ => row.Class });
        }

        _dictionary.EncodeHead(_rows.Count, buffer);
        for (var i = 0; i < _rows.Count; i++)
        {
            _dictionary.EncodeConstant(1, buffer);
        }
    }

    private readonly record struct Row(
        BatchOrigin Origin, BatchHeader Header, string Class, LedgerEntry Entry, ushort Index, ushort Entries, byte Revision);
}
