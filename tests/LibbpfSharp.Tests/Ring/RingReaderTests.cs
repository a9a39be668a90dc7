using System.Diagnostics;
using LibbpfSharp.Handles;
using LibbpfSharp.Ring;

namespace LibbpfSharp.Tests.Ring;

public sealed class RingReaderTests : KernelTest, IDisposable
{
    private const uint Stored = 2;
    private const uint Refused = 1;

    private readonly BpfObject _object = TestObjects.Open("ring");
    private readonly RingReader _reader;

    public RingReaderTests()
    {
        _object.Load();
        _reader = RingReader.Open(_object.Map("ring"));
    }

    void IDisposable.Dispose()
    {
        _reader.Dispose();
        _object.Dispose();
        Dispose();
    }

    [Fact]
    public void Records_of_every_length_survive_many_wraps()
    {
        var random = new Random(1);
        for (var round = 0; round < 5000; round++)
        {
            var packet = new byte[random.Next(14, 1200)];
            random.NextBytes(packet);
            packet[0] = 1;
            Assert.Equal(Stored, Produce(packet));
            Assert.True(_reader.TryRead(out var record));
            Assert.True(record.Data.SequenceEqual(packet));
            Assert.False(_reader.TryRead(out _));
            _reader.Commit();
        }
        Assert.True(_reader.ReadPosition > 100ul * 4096);
    }

    [Fact]
    public void Full_ring_refuses_until_commit()
    {
        var packet = new byte[120]; // 128 with the header; a ring is never filled to its last byte
        for (var i = 0; i < 31; i++)
        {
            packet[1] = (byte)i;
            Assert.Equal(Stored, Produce(packet));
        }
        Assert.Equal(Refused, Produce(packet));
        Assert.Equal(4096 - 128, _reader.PendingBytes);
        for (var i = 0; i < 16; i++)
        {
            Assert.True(_reader.TryRead(out var record));
            Assert.Equal(i, record.Data[1]);
        }
        Assert.Equal(Refused, Produce(packet)); // read, but still leased
        _reader.Commit();
        Assert.Equal(15 * 128, _reader.PendingBytes);
        Assert.Equal(Stored, Produce(packet));
        var rest = 0;
        while (_reader.TryRead(out _))
        {
            rest++;
        }
        Assert.Equal(16, rest);
    }

    [Fact]
    public void Discarded_records_are_skipped()
    {
        Assert.Equal(Stored, Produce(Packet(0xdd)));
        Assert.Equal(Stored, Produce(Packet(5)));
        Assert.Equal(Stored, Produce(Packet(0xdd)));
        Assert.True(_reader.TryRead(out var record));
        Assert.Equal(5, record.Data[0]);
        Assert.False(_reader.TryRead(out _));
        _reader.Commit();
        Assert.Equal(0, _reader.PendingBytes);
    }

    [Fact]
    public void Next_reader_goes_on_where_the_last_committed()
    {
        Produce(Packet(1));
        Produce(Packet(2));
        Assert.True(_reader.TryRead(out _));
        _reader.Commit();
        Assert.True(_reader.TryRead(out _)); // not committed
        using var next = RingReader.Open(_object.Map("ring"));
        Assert.True(next.TryRead(out var record));
        Assert.Equal(2, record.Data[0]);
    }

    [Fact]
    public void Wait_times_out_and_wakes()
    {
        var started = Stopwatch.GetTimestamp();
        Assert.False(_reader.Wait(50));
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(45));

        using var ready = new ManualResetEventSlim();
        var waiter = new Thread(() =>
        {
            ready.Set();
            if (_reader.Wait(10_000) && _reader.TryRead(out var record))
            {
                Volatile.Write(ref started, record.Data[0]);
            }
        });
        waiter.Start();
        ready.Wait();
        Thread.Sleep(50);
        Produce(Packet(7));
        Assert.True(waiter.Join(5000));
        Assert.Equal(7, Volatile.Read(ref started));
    }

    [Fact]
    public void Reading_does_not_allocate()
    {
        for (var i = 0; i < 20; i++)
        {
            Produce(Packet(1));
        }
        _reader.TryRead(out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        while (_reader.TryRead(out _))
        {
            _reader.Commit();
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Other_maps_and_disposed_readers_are_refused()
    {
        Assert.Throws<ArgumentException>(() => RingReader.Open(_object.Map("copy")));
        var reader = RingReader.Open(_object.Map("ring"));
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.TryRead(out _));
    }

    private static byte[] Packet(byte first)
    {
        var packet = new byte[32];
        packet[0] = first;
        return packet;
    }

    private uint Produce(byte[] packet) => _object.Program("produce").TestRun(packet);
}
