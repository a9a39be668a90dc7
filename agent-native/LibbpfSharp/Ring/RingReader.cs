using System.Runtime.InteropServices;
using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Ring;

/// <summary>
/// Reads a BPF ring buffer without copying: a record is a view of the ring's own pages, valid until <see cref="Commit"/>.
/// </summary>
/// <remarks>
/// <para>One consumer at a time, from any thread; the position lives in the map, so who opens a pinned ring later goes on
/// where the last reader committed. Reading allocates nothing and makes no system call; only <see cref="Wait"/> does.</para>
/// <para>Protocol (kernel/bpf/ringbuf.c). A record is an 8-byte header and data, rounded up to 8. The producer reserves
/// under a lock: it writes the header with BUSY set and then publishes producer_pos with smp_store_release. It commits by
/// xchg on the header's length word, which clears BUSY (and sets DISCARD for a dropped record). Hence the acquire loads of
/// both here: producer_pos before a header may be looked at, the header before its data. consumer_pos is a release store
/// after the last use of the data, because the kernel reuses the space as soon as it sees it.</para>
/// <para>Order is that of reservation. A busy record stops the reader even if later ones are complete.</para>
/// </remarks>
public sealed unsafe class RingReader : IDisposable
{
    private const uint BusyBit = 1u << 31;
    private const uint DiscardBit = 1u << 30;
    private const uint LengthMask = DiscardBit - 1;
    private const uint HeaderBytes = 8;

    private readonly RingMapping _mapping;
    private readonly BpfMap _map;
    private readonly ulong* _consumer;
    private readonly ulong* _producer;
    private readonly byte* _data;
    private readonly ulong _mask;
    private ulong _position;
    private ulong _producerSeen;

    private RingReader(BpfMap map, RingMapping mapping)
    {
        _map = map;
        _mapping = mapping;
        _consumer = mapping.ConsumerPosition;
        _producer = mapping.ProducerPosition;
        _data = mapping.Data;
        Capacity = mapping.Capacity;
        _mask = (ulong)Capacity - 1;
        _position = Volatile.Read(ref *_consumer);
        _producerSeen = _position;
    }

    /// <summary>Size of the ring in bytes.</summary>
    public int Capacity { get; }

    /// <summary>Position up to which records were read, committed or not. Bytes since the ring was made.</summary>
    public ulong ReadPosition => _position;

    /// <summary>Position up to which the kernel has reserved records.</summary>
    public ulong ProducerPosition => Volatile.Read(ref *_producer);

    /// <summary>Bytes reserved and not committed by the reader: the pressure on the ring, from 0 to <see cref="Capacity"/>.</summary>
    public long PendingBytes => (long)(Volatile.Read(ref *_producer) - Volatile.Read(ref *_consumer));

    /// <summary>Opens the ring of a created or pinned map.</summary>
    /// <exception cref="ArgumentException">The map is no ring buffer.</exception>
    /// <exception cref="BpfException">The pages cannot be mapped.</exception>
    public static RingReader Open(BpfMap map)
    {
        if (map.Type != BpfMapType.RingBuf)
        {
            throw new ArgumentException($"Map {map.Name} is of type {map.Type}, not a ring buffer.", nameof(map));
        }
        return new RingReader(map, RingMapping.Map(map));
    }

    /// <summary>Leases the next record. False when there is none that is complete.</summary>
    /// <remarks>Several records may be leased before one <see cref="Commit"/>; their space is held until then.</remarks>
    public bool TryRead(out RingRecord record)
    {
        ObjectDisposedException.ThrowIf(_mapping.IsClosed, this);
        while (true)
        {
            if (_position == _producerSeen)
            {
                _producerSeen = Volatile.Read(ref *_producer);
                if (_position == _producerSeen)
                {
                    record = default;
                    return false;
                }
            }
            var header = _data + (_position & _mask);
            var word = Volatile.Read(ref *(uint*)header);
            if ((word & BusyBit) != 0)
            {
                record = default;
                return false;
            }
            var length = word & LengthMask;
            _position += (length + HeaderBytes + 7) & ~7u;
            if ((word & DiscardBit) == 0)
            {
                record = new RingRecord(new ReadOnlySpan<byte>(header + HeaderBytes, (int)length));
                return true;
            }
        }
    }

    /// <summary>Gives the space of everything read back to the kernel. Records leased before are no longer valid.</summary>
    public void Commit()
    {
        ObjectDisposedException.ThrowIf(_mapping.IsClosed, this);
        Volatile.Write(ref *_consumer, _position);
    }

    /// <summary>Commits, then waits until there may be something to read.</summary>
    /// <param name="timeoutMilliseconds">At most this long; -1 without limit.</param>
    /// <returns>False on timeout. True does not promise a record: the next one may be busy or discarded.</returns>
    /// <remarks>
    /// A program that submits without flags wakes the reader only if it has caught up; with BPF_RB_NO_WAKEUP never, and
    /// then the timeout bounds the delay.
    /// </remarks>
    public bool Wait(int timeoutMilliseconds)
    {
        Commit();
        // x86 lets the store of consumer_pos pass the loads of the poll below; the kernel would then see an old position,
        // take the reader for busy and not wake it.
        Interlocked.MemoryBarrier();
        Libc.epoll_event ready;
        var result = Libc.epoll_wait(_mapping.Epoll, &ready, 1, timeoutMilliseconds);
        if (result < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Libc.EINTR)
            {
                BpfException.Throw($"wait for ring {_map.Name}", errno, "");
            }
        }
        return result > 0;
    }

    /// <summary>Unmaps the ring. Records not committed stay in it.</summary>
    public void Dispose() => _mapping.Dispose();
}
