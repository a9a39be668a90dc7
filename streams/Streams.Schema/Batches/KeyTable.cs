using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.Schema;

/// <summary>
/// Interns byte strings: open addressing over the encoded keys themselves, which are already in wire form (varuint length and
/// bytes), so that sealing copies them. Index 0 is the empty string. No string objects, no allocation once grown.
/// </summary>
public sealed class KeyTable
{
    private const int InitialSlots = 32;

    // Not for secrecy: it keeps one host's names from being chosen to collide on another.
    private static readonly ulong Seed = (ulong)Guid.NewGuid().GetHashCode() * 0x9E3779B97F4A7C15;

    private int[] _slots = new int[InitialSlots]; // key index, 0 = free (the empty string is never stored in a slot)
    private int[] _offsets = new int[InitialSlots]; // start of key i in _bytes
    private uint[] _hashes = new uint[InitialSlots];
    private byte[] _bytes = new byte[256];
    private int _length;
    private int _last; // most rows repeat the key of the row before

    public KeyTable() => Clear();

    /// <summary>Number of keys, the empty string included.</summary>
    public int Count { get; private set; }

    /// <summary>The keys in order as varuint length and bytes.</summary>
    public ReadOnlySpan<byte> Encoded => _bytes.AsSpan(0, _length);

    /// <summary>One key as varuint length and bytes.</summary>
    internal ReadOnlySpan<byte> EncodedKey(int index)
    {
        var start = _offsets[index];
        return _bytes.AsSpan(start, (index + 1 < Count ? _offsets[index + 1] : _length) - start);
    }

    /// <summary>Forgets all keys but the empty string and keeps the memory.</summary>
    public void Clear()
    {
        if (Count * 16 > _slots.Length)
        {
            _slots.AsSpan().Clear();
        }
        else
        {
            // A table that was large once must not cost that much for ever.
            for (var index = 1; index < Count; index++)
            {
                ClearSlot(index);
            }
        }

        _bytes[0] = 0;
        _length = 1;
        Count = 1;
        _last = 0;
    }

    /// <summary>The index of the key, added when it is new.</summary>
    public int Intern(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty)
        {
            return 0;
        }

        if (KeyEquals(_last, key))
        {
            return _last;
        }

        var hash = Hash(key);
        var mask = _slots.Length - 1;
        var slot = (int)hash & mask;
        while (_slots[slot] is var index && index != 0)
        {
            if (_hashes[index] == hash && KeyEquals(index, key))
            {
                return _last = index;
            }

            slot = (slot + 1) & mask;
        }

        return _last = Add(key, hash, slot);
    }

    private void ClearSlot(int index)
    {
        var mask = _slots.Length - 1;
        var slot = (int)_hashes[index] & mask;
        while (_slots[slot] != index)
        {
            slot = (slot + 1) & mask;
        }

        _slots[slot] = 0;
    }

    private int Add(ReadOnlySpan<byte> key, uint hash, int slot)
    {
        var index = Count++;
        if (index >= _offsets.Length)
        {
            Array.Resize(ref _offsets, index * 2);
            Array.Resize(ref _hashes, index * 2);
        }

        var needed = _length + key.Length + Varuint.MaxBytes;
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(needed, _bytes.Length * 2));
        }

        _offsets[index] = _length;
        _hashes[index] = hash;
        _length += Varuint.Write(_bytes.AsSpan(_length), key.Length);
        key.CopyTo(_bytes.AsSpan(_length));
        _length += key.Length;
        _slots[slot] = index;
        if (Count * 2 > _slots.Length)
        {
            Rehash();
        }

        return index;
    }

    private void Rehash()
    {
        _slots = new int[_slots.Length * 2];
        var mask = _slots.Length - 1;
        for (var index = 1; index < Count; index++)
        {
            var slot = (int)_hashes[index] & mask;
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }

            _slots[slot] = index;
        }
    }

    private bool KeyEquals(int index, ReadOnlySpan<byte> key)
    {
        if (index == 0)
        {
            return false;
        }

        var start = _offsets[index];
        var prefix = Varuint.Size(key.Length);
        var end = index + 1 < Count ? _offsets[index + 1] : _length;
        return end - start == prefix + key.Length && _bytes.AsSpan(start + prefix, key.Length).SequenceEqual(key);
    }

    private static uint Hash(ReadOnlySpan<byte> key)
    {
        var h = Seed ^ ((ulong)key.Length * 0xFF51AFD7ED558CCD);
        ref var p = ref MemoryMarshal.GetReference(key);
        var n = key.Length;
        while (n >= 8)
        {
            h = Mix(h ^ Unsafe.ReadUnaligned<ulong>(ref p));
            p = ref Unsafe.Add(ref p, 8);
            n -= 8;
        }

        ulong tail = 0;
        for (var i = 0; i < n; i++)
        {
            tail = (tail << 8) | Unsafe.Add(ref p, i);
        }

        h = Mix(h ^ tail);
        return (uint)(h >> 32);
    }

    private static ulong Mix(ulong x)
    {
        x *= 0x9E3779B97F4A7C15;
        return BitOperations.RotateLeft(x, 31) ^ (x >> 29);
    }
}
