using System.Runtime.InteropServices;
using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Ring;

/// <summary>The pages of a BPF_MAP_TYPE_RINGBUF in this process, and an epoll that watches the map.</summary>
/// <remarks>
/// Layout (kernel/bpf/ringbuf.c, struct bpf_ringbuf): one page with consumer_pos, writable; one page with producer_pos,
/// read-only; then the data pages, read-only and mapped twice in a row, so that a record that wraps is contiguous.
/// </remarks>
internal sealed unsafe class RingMapping : SafeHandle
{
    private readonly nuint _pageSize;
    private readonly nuint _producerBytes;
    private readonly nint _producer;
    private readonly int _epoll;

    private RingMapping(nint consumer, nint producer, nuint pageSize, nuint producerBytes, int capacity, int epoll)
        : base(-1, ownsHandle: true)
    {
        SetHandle(consumer);
        _producer = producer;
        _pageSize = pageSize;
        _producerBytes = producerBytes;
        Capacity = capacity;
        _epoll = epoll;
    }

    public override bool IsInvalid => handle == -1;

    internal ulong* ConsumerPosition => (ulong*)handle;

    internal ulong* ProducerPosition => (ulong*)_producer;

    internal byte* Data => (byte*)_producer + _pageSize;

    internal int Epoll => _epoll;

    internal int Capacity { get; }

    internal static RingMapping Map(BpfMap map)
    {
        var descriptor = map.Descriptor;
        var page = (nuint)Environment.SystemPageSize;
        var consumer = Libc.mmap(0, page, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, descriptor, 0);
        if (consumer == -1)
        {
            BpfException.ThrowLastError($"map consumer page of ring {map.Name}");
        }
        // The kernel's own number: libbpf rounds sizes that are no power of two.
        var capacity = MapInfo.Read(descriptor).MaxEntries;
        var bytes = page + (2 * (nuint)capacity);
        var producer = Libc.mmap(0, bytes, Libc.PROT_READ, Libc.MAP_SHARED, descriptor, (nint)page);
        if (producer == -1)
        {
            var errno = Marshal.GetLastPInvokeError();
            _ = Libc.munmap(consumer, page);
            BpfException.Throw($"map data pages of ring {map.Name}", errno, "");
        }
        var mapping = new RingMapping(consumer, producer, page, bytes, capacity, Libc.epoll_create1(Libc.EPOLL_CLOEXEC));
        var interest = new Libc.epoll_event { events = Libc.EPOLLIN };
        if (mapping._epoll < 0 || Libc.epoll_ctl(mapping._epoll, Libc.EPOLL_CTL_ADD, descriptor, &interest) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            mapping.Dispose();
            BpfException.Throw($"watch ring {map.Name}", errno, "");
        }
        return mapping;
    }

    protected override bool ReleaseHandle()
    {
        if (_epoll >= 0)
        {
            _ = Libc.close(_epoll);
        }
        return Libc.munmap(handle, _pageSize) == 0 & Libc.munmap(_producer, _producerBytes) == 0;
    }
}
