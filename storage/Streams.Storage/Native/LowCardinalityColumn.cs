using System.Buffers;
using System.Numerics;
using System.Text;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// One LowCardinality(String) column put together from the dictionaries of many batches: the union of the keys, then the indices
/// through a remap. In bytes: u64 version 1; u64 flags 0x600 | index type (0, 1, 2 for 1, 2, 4 bytes); u64 keys; the keys, key 0
/// empty; u64 rows; indices. The engine reads every width (tested beyond 65,536 keys), so no fallback to String is needed.
/// </summary>
/// <remarks>Two passes: add every piece of the column, then encode every piece in the same order.</remarks>
internal sealed class LowCardinalityColumn : IDisposable
{
    private const ulong HasKeysOfItsOwn = 0x600;

    private readonly KeyTable _union = new();
    private int[] _remap = [];
    private int _remapLength;
    private int _read;

    internal void Clear()
    {
        _union.Clear();
        _remapLength = 0;
        _read = 0;
    }

    /// <summary>First pass: one key for all rows of a piece.</summary>
    internal void Add(ReadOnlySpan<byte> key)
    {
        Reserve(1);
        _remap[_remapLength++] = _union.Intern(key);
    }

    /// <summary>First pass: one key, as text.</summary>
    internal void Add(string key)
    {
        Span<byte> utf8 = stackalloc byte[256];
        Add(Encoding.UTF8.TryGetBytes(key, utf8, out var length) ? utf8[..length] : Encoding.UTF8.GetBytes(key));
    }

    /// <summary>First pass: a dictionary.</summary>
    internal void Add(in DecodedColumn column)
    {
        Reserve(column.KeyCount);
        foreach (var key in column.Strings())
        {
            _remap[_remapLength++] = _union.Intern(key);
        }
    }

    internal void EncodeHead(int rows, SegmentedBuffer buffer)
    {
        buffer.WriteUInt64(1);
        buffer.WriteUInt64(HasKeysOfItsOwn | (ulong)BitOperations.Log2((uint)Width));
        buffer.WriteUInt64((ulong)_union.Count);
        buffer.Write(_union.Encoded);
        buffer.WriteUInt64((ulong)rows);
        _read = 0;
    }

    /// <summary>Second pass: a piece of one key.</summary>
    internal void EncodeConstant(int rows, SegmentedBuffer buffer) => Fill(_remap[_read++], rows, buffer);

    /// <summary>Second pass: a piece without the column, empty strings.</summary>
    internal void EncodeMissing(int rows, SegmentedBuffer buffer) => Fill(0, rows, buffer);

    /// <summary>Second pass: the indices of a dictionary.</summary>
    internal void EncodeIndices(in DecodedColumn column, SegmentedBuffer buffer)
    {
        var remap = _remap.AsSpan(_read, column.KeyCount);
        _read += column.KeyCount;
        switch (Width)
        {
            case 1:
                IndexRemap.Write<byte>(column, remap, buffer);
                break;
            case 2:
                IndexRemap.Write<ushort>(column, remap, buffer);
                break;
            default:
                IndexRemap.Write<uint>(column, remap, buffer);
                break;
        }
    }

    public void Dispose()
    {
        if (_remap.Length > 0)
        {
            ArrayPool<int>.Shared.Return(_remap);
            _remap = [];
        }
    }

    private int Width => _union.Count <= 0x100 ? 1 : _union.Count <= 0x10000 ? 2 : 4;

    private void Fill(int index, int rows, SegmentedBuffer buffer)
    {
        switch (Width)
        {
            case 1:
                buffer.Fill((byte)index, rows);
                break;
            case 2:
                buffer.Fill((ushort)index, rows);
                break;
            default:
                buffer.Fill((uint)index, rows);
                break;
        }
    }

    private void Reserve(int more)
    {
        if (_remapLength + more <= _remap.Length)
        {
            return;
        }

        var larger = ArrayPool<int>.Shared.Rent(Math.Max(_remapLength + more, _remap.Length * 2));
        _remap.AsSpan(0, _remapLength).CopyTo(larger);
        Dispose();
        _remap = larger;
    }
}
