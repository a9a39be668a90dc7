using System.Runtime.InteropServices;
using System.Text;

namespace Streams.Storage;

/// <summary>Dead letters as one block. Their bytes must stay unchanged until the block is reset. Reusable, not thread-safe.</summary>
public sealed class DeadLetterBlock : NativeBlock, IDisposable
{
    private readonly LowCardinalityColumn _dictionary = new();
    private readonly List<Row> _rows = [];
    private long _bytes;

    public DeadLetterBlock()
        : base(DeadLetterTable.Definition)
    {
    }

    public override int Rows => _rows.Count;

    /// <summary>Adds a letter; false when the block is full and must be inserted first.</summary>
    public bool TryAdd(DeadLetter letter, in BatchOrigin origin)
    {
        if (_bytes + letter.Bytes.Length > NativeLimits.MaxBytes)
        {
            return false;
        }

        _rows.Add(new Row(origin, letter));
        _bytes += letter.Bytes.Length;
        return true;
    }

    public void Reset()
    {
        _rows.Clear();
        _bytes = 0;
    }

    public void Dispose() => _dictionary.Dispose();

    protected override void EncodeColumn(int ordinal, SegmentedBuffer buffer)
    {
        var column = Table.Columns[ordinal];
        if (column.Type == "LowCardinality(String)")
        {
            EncodeText(column.Name, buffer);
            return;
        }

        foreach (ref readonly var row in CollectionsMarshal.AsSpan(_rows))
        {
            EncodeValue(column.Name, row, buffer);
        }
    }

    private static void EncodeValue(string name, in Row row, SegmentedBuffer buffer)
    {
        var letter = row.Letter;
        switch (name)
        {
            case "received_at": buffer.Fill(row.Origin.ReceivedAt, 1); break;
            case "epoch": buffer.Fill(letter.Name.Epoch.Prefix, 1); break;
            case "epoch_low": buffer.Fill(letter.Name.Epoch.Suffix, 1); break;
            case "lane": buffer.Fill(letter.Name.Lane, 1); break;
            case "batch": buffer.Fill(letter.Name.N, 1); break;
            case "rows": buffer.Fill(letter.Rows, 1); break;
            case "code": buffer.Fill(letter.Code, 1); break;
            case "message": EncodeBytes(Encoding.UTF8.GetBytes(letter.Message), buffer); break;
            case "bytes": EncodeBytes(letter.Bytes.Span, buffer); break;
            case "dead_at": buffer.Fill(letter.DeadAt, 1); break;
            default: throw new InvalidOperationException($"dead_letter has no value for column {name}");
        }
    }

    private static void EncodeBytes(ReadOnlySpan<byte> bytes, SegmentedBuffer buffer)
    {
        buffer.WriteVaruint((ulong)bytes.Length);
        buffer.Write(bytes);
    }

    private void EncodeText(string name, SegmentedBuffer buffer)
    {
        _dictionary.Clear();
        foreach (ref readonly var row in CollectionsMarshal.AsSpan(_rows))
        {
            _dictionary.Add(name switch
            {
                "agent_id" => row.Origin.AgentId,
                "host" => row.Origin.Host,
                "class" => row.Letter.Class,
                _ => row.Letter.Cause,
            });
        }

        _dictionary.EncodeHead(_rows.Count, buffer);
        for (var i = 0; i < _rows.Count; i++)
        {
            _dictionary.EncodeConstant(1, buffer);
        }
    }

    private readonly record struct Row(BatchOrigin Origin, DeadLetter Letter);
}
