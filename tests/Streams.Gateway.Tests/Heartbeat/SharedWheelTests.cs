using System.Collections.Concurrent;
using Streams.Gateway.Heartbeat;
using Streams.Testing;

namespace Streams.Gateway.Tests.Heartbeat;

public sealed class SharedWheelTests
{
    [Fact]
    public async Task A_member_that_throws_stops_nobody_elses_deadlines()
    {
        var faults = new ConcurrentQueue<string>();
        await using var wheel = new SharedWheel(_ => throw new IndexOutOfRangeException("first"), fault => faults.Enqueue(fault.Message));
        var good = new Member(throws: false);
        wheel.Add(new Member(throws: true));
        wheel.Add(good);
        wheel.Start();
        await Eventually.TrueAsync(() => good.Ticks >= 2, "two rounds passed the bad one");
        Assert.Equal(["first", "member"], faults.Take(2));
    }

    private sealed class Member(bool throws) : IWheelMember
    {
        private int _ticks;

        public int Ticks => Volatile.Read(ref _ticks);

        public int WheelIndex { get; set; }

        public void Tick(long now)
        {
            Interlocked.Increment(ref _ticks);
            if (throws)
            {
                throw new IndexOutOfRangeException("member");
            }
        }
    }
}
