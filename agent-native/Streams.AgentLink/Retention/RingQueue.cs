namespace Streams.AgentLink.Retention;

/// <summary>A queue with access by index that grows by doubling and never shrinks: no allocation at steady state.</summary>
internal sealed class RingQueue<T>
    where T : struct
{
    private T[] _items = new T[16];
    private int _head;

    internal int Count { get; private set; }

    /// <summary>The item <paramref name="index"/> places behind the head.</summary>
    internal T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return _items[(_head + index) & (_items.Length - 1)];
        }
    }

    internal void Enqueue(T item)
    {
        if (Count == _items.Length)
        {
            var grown = new T[_items.Length * 2];
            for (var i = 0; i < Count; i++)
            {
                grown[i] = this[i];
            }

            _items = grown;
            _head = 0;
        }

        _items[(_head + Count) & (_items.Length - 1)] = item;
        Count++;
    }

    internal T Dequeue()
    {
        var item = this[0];
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
        return item;
    }
}
