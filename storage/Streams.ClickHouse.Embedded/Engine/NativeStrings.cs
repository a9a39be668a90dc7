using System.Runtime.InteropServices;
using System.Text;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>UTF-8 strings with their lengths in native memory, for the time of one call.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly int _capacity;
    private int _count;

    public NativeStrings(int capacity)
    {
        _capacity = capacity;
        Pointers = (byte**)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(byte*));
        Lengths = (nuint*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(nuint));
    }

    public byte** Pointers { get; }

    public nuint* Lengths { get; }

    public void Add(string text)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(_count, _capacity);
        var length = Encoding.UTF8.GetByteCount(text);
        // One byte more than needed, zero: the names are documented without terminator, but an empty allocation would be null.
        var bytes = (byte*)NativeMemory.AllocZeroed((nuint)length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(bytes, length));
        Pointers[_count] = bytes;
        Lengths[_count++] = (nuint)length;
    }

    public void Dispose()
    {
        for (var i = 0; i < _count; i++)
            NativeMemory.Free(Pointers[i]);
        NativeMemory.Free(Pointers);
        NativeMemory.Free(Lengths);
    }
}
