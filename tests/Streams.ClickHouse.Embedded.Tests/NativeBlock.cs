using System.Buffers.Binary;
using System.Text;

namespace Streams.ClickHouse.Embedded.Tests;

/// <summary>Writes one block of ClickHouse's Native format: columns, rows, then name, type and data of each column.</summary>
internal sealed class NativeBlock(int rows)
{
    private readonly MemoryStream _columns = new();
    private int _count;

    public NativeBlock UInt64(string name, Func<int, ulong> value)
    {
        Begin(name, "UInt64");
        var bytes = new byte[8 * rows];
        for (var i = 0; i < rows; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8 * i), value(i));
        _columns.Write(bytes);
        return this;
    }

    public NativeBlock String(string name, Func<int, byte[]> value)
    {
        Begin(name, "String");
        for (var i = 0; i < rows; i++)
        {
            var bytes = value(i);
            VarUInt(_columns, (ulong)bytes.Length);
            _columns.Write(bytes);
        }

        return this;
    }

    public byte[] ToArray()
    {
        using var block = new MemoryStream();
        VarUInt(block, (ulong)_count);
        VarUInt(block, (ulong)rows);
        _columns.WriteTo(block);
        return block.ToArray();
    }

    private void Begin(string name, string type)
    {
        _count++;
        foreach (var text in (string[])[name, type])
        {
            VarUInt(_columns, (ulong)text.Length);
            _columns.Write(Encoding.ASCII.GetBytes(text));
        }
    }

    private static void VarUInt(Stream stream, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            stream.WriteByte((byte)(value | 0x80));
        stream.WriteByte((byte)value);
    }
}
