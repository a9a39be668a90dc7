using System.Buffers.Binary;
using System.Net;
using System.Text;
using Streams.AgentLink.Tests.Gateway;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.Agent.Tests.Published;

/// <summary>Takes one session of the agent, grants credit, decodes every batch with the server's decoder, commits it, and keeps rows and ledger.</summary>
internal sealed class ReceivedRows : IDisposable
{
    private readonly DecodedBatch _decoded = new();
    private readonly Dictionary<(UInt128, uint), uint> _next = [];
    private readonly List<Dictionary<string, object>> _rows = [];
    private readonly List<(string Class, ulong SensorEpoch, LedgerEntry Entry, LossCount[] Losses)> _ledger = [];

    /// <summary>Runs until the agent closes the session.</summary>
    public async Task RunAsync(ScriptedPeer peer)
    {
        await peer.GrantAllAsync(16 * 1024 * 1024);
        while (true)
        {
            List<(BatchName Name, byte[] Bytes)> batches;
            try
            {
                (_, batches) = await peer.ReceiveDataAsync();
            }
            catch (InvalidOperationException closed) when (closed.Message.StartsWith("closed", StringComparison.Ordinal))
            {
                return;
            }

            foreach (var (name, bytes) in batches)
                Take(name, bytes);
            await peer.CommitAsync([.. _next.Select(lane => new LaneWatermark(lane.Key.Item1, lane.Key.Item2, lane.Value))]);
        }
    }

    public List<Dictionary<string, object>> Rows(string eventClass)
    {
        lock (_rows)
            return [.. _rows.Where(row => (string)row["class_name"] == eventClass)];
    }

    public List<(string Class, ulong SensorEpoch, LedgerEntry Entry, LossCount[] Losses)> Ledger(string eventClass)
    {
        lock (_rows)
            return [.. _ledger.Where(entry => entry.Class == eventClass)];
    }

    public void Dispose() => _decoded.Dispose();

    private void Take(BatchName name, byte[] bytes)
    {
        Assert.True(BatchDecoder.TryDecode(bytes, _decoded, out var error), error.ToString());
        Span<byte> epoch = stackalloc byte[Epoch.Size];
        name.Epoch.Write(epoch);
        var lane = (BinaryPrimitives.ReadUInt128BigEndian(epoch), name.Lane);
        var expected = _next.GetValueOrDefault(lane);
        // Sent again by the next process, which was not told how far the lane was committed: dropped, as the worker does.
        if (name.N < expected)
            return;
        Assert.Equal(expected, name.N);
        _next[lane] = name.N + 1;
        lock (_rows)
        {
            foreach (var entry in _decoded.Ledger.Entries)
                _ledger.Add((_decoded.Class.Name, _decoded.Header.SensorEpoch.Prefix, entry, _decoded.Ledger.Losses(entry).ToArray()));
            if (_decoded.Rows > 0)
                AddRows();
        }
    }

    private void AddRows()
    {
        var rows = new Dictionary<string, object>[_decoded.Rows];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = new() { ["class_name"] = _decoded.Class.Name, ["sensor_epoch"] = _decoded.Header.SensorEpoch.Prefix };
        for (var ordinal = 0; ordinal < _decoded.Class.Columns.Count; ordinal++)
        {
            var name = _decoded.Class.Columns[ordinal].Name;
            var column = _decoded.Column(ordinal);
            var strings = new List<string>();
            if (column.Type is ColumnType.String or ColumnType.Dictionary)
            {
                var walk = column.Strings();
                while (walk.MoveNext())
                    strings.Add(Encoding.UTF8.GetString(walk.Current));
            }

            for (var i = 0; i < rows.Length; i++)
                rows[i][name] = Value(column, strings, i);
        }

        _rows.AddRange(rows);
    }

    private static object Value(DecodedColumn column, List<string> strings, int i) => column.Type switch
    {
        ColumnType.String => strings[i],
        ColumnType.Dictionary => strings[column.IndexWidth switch
        {
            1 => column.Indices[i],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(column.Indices[(i * 2)..]),
            _ => BinaryPrimitives.ReadInt32LittleEndian(column.Indices[(i * 4)..]),
        }],
        ColumnType.UInt8 or ColumnType.Bool => (ulong)column.Data[i],
        ColumnType.UInt16 => (ulong)BinaryPrimitives.ReadUInt16LittleEndian(column.Data[(i * 2)..]),
        ColumnType.UInt32 => (ulong)BinaryPrimitives.ReadUInt32LittleEndian(column.Data[(i * 4)..]),
        ColumnType.Int32 => (long)BinaryPrimitives.ReadInt32LittleEndian(column.Data[(i * 4)..]),
        ColumnType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(column.Data[(i * 8)..]),
        ColumnType.DateTime64Micro => DateTimeOffset.UnixEpoch.AddMicroseconds(BinaryPrimitives.ReadInt64LittleEndian(column.Data[(i * 8)..])),
        ColumnType.IPv6 => new IPAddress(column.Data.Slice(i * 16, 16)).MapToIPv4().ToString(),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(column.Data[(i * 8)..]),
    };
}
