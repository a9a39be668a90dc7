namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// Records of one (class, cpu) that arrived above a hole, copied out of the ring and kept in order of their numbers until
/// the hole is filled or known to be a loss. At most <see cref="Capacity"/>; buffers are reused.
/// </summary>
internal sealed class ReorderWindow
{
    public const int Capacity = 64;

    private readonly Entry[] _entries = new Entry[Capacity];
    private int _first;

    /// <summary>Records held.</summary>
    public int Count { get; private set; }

    /// <summary>True when another record would not fit.</summary>
    public bool IsFull => Count == Capacity;

    /// <summary>The lowest number held.</summary>
    public ulong FirstSeq => _entries[_first].Seq;

    /// <summary>The record with the lowest number.</summary>
    public ReadOnlySpan<byte> First => _entries[_first].Buffer.AsSpan(0, _entries[_first].Length);

    /// <summary>Ring position from which on the lowest hole is final; meaningless when empty.</summary>
    public ulong FinalFrom { get; private set; }

    /// <summary>Copies a record in. False when its number is held already.</summary>
    /// <param name="seq">Its number.</param>
    /// <param name="record">Its bytes.</param>
    /// <param name="producerPosition">The ring's producer position now: every lower number was reserved before it (emit.h, rule 3).</param>
    public bool Add(ulong seq, ReadOnlySpan<byte> record, ulong producerPosition)
    {
        var place = Count;
        while (place > 0 && At(place - 1).Seq >= seq)
        {
            place--;
            if (At(place).Seq == seq)
            {
                return false;
            }
        }
        var spare = At(Count).Buffer;
        for (var i = Count; i > place; i--)
        {
            At(i) = At(i - 1);
        }
        if (spare is null || spare.Length < record.Length)
        {
            spare = GC.AllocateUninitializedArray<byte>(Math.Max(256, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)record.Length)));
        }
        record.CopyTo(spare);
        At(place) = new Entry { Seq = seq, Buffer = spare, Length = record.Length, FinalFrom = producerPosition };
        if (Count++ == 0)
        {
            FinalFrom = producerPosition;
        }
        return true;
    }

    /// <summary>Drops the lowest record. Its bytes stay valid until the next <see cref="Add"/>.</summary>
    public void RemoveFirst()
    {
        _first = (_first + 1) % Capacity;
        Count--;
        FinalFrom = ulong.MaxValue;
        for (var i = 0; i < Count; i++)
        {
            FinalFrom = Math.Min(FinalFrom, At(i).FinalFrom);
        }
    }

    private ref Entry At(int index) => ref _entries[(_first + index) % Capacity];

    private struct Entry
    {
        public ulong Seq;
        public ulong FinalFrom;
        public byte[]? Buffer;
        public int Length;
    }
}
