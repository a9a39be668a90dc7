namespace Streams.Wire.Keys;

/// <summary>A rented place for key material in a <see cref="KeyArena"/>. A copy of the struct is a copy of the reference: one owner
/// returns it.</summary>
public readonly unsafe struct KeySlot
{
    internal const int Size = 96;

    private readonly byte* _pointer;

    internal KeySlot(byte* pointer, int index)
    {
        _pointer = pointer;
        Index = index;
    }

    internal byte* Pointer => _pointer;

    internal int Index { get; }

    public bool IsRented => _pointer != null;
}
