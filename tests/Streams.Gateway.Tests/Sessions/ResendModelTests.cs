using Streams.Gateway.Ingest;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests.Sessions;

/// <summary>
/// The lane table between a model of an agent, of the gateway's pipeline, of the queue with its duplicate window, and of a worker that
/// admits n == expected only. Steps come in random order; orders and acknowledgements of the worker get lost, publishes are repeated, the
/// queue loses its tail or everything.
/// </summary>
public sealed class ResendModelTests
{
    private const int Lanes = 3;
    private const uint Batches = 40;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_lane_arrives_whole_in_order_whatever_is_lost(int family)
    {
        for (var i = 0; i < 500; i++)
        {
            var run = new Run(new Random((family * 1000) + i), faults: family != 0);
            run.Play(2000);
            run.Settle();
            Assert.All(run.Expected, expected => Assert.Equal(Batches, expected));
            if (family == 0)
            {
                Assert.Equal(0, run.GapsInQueue);
            }
        }
    }

    private sealed class Run(Random random, bool faults)
    {
        private readonly LaneTable _table = new();
        private readonly Epoch[] _epochs = [Epoch.NewRandom(), Epoch.NewRandom(), Epoch.NewRandom()];
        private readonly uint[] _next = new uint[Lanes];
        private readonly uint[] _committed = new uint[Lanes];
        private readonly uint[] _freed = new uint[Lanes];
        private readonly long[] _askedAt = new long[Lanes];
        private readonly Queue<(int Lane, uint First, uint Last)> _uplink = new();
        private readonly Queue<(int Lane, uint N)> _downlink = new();
        private readonly List<MessageHeaders> _outlet = [];
        private readonly Queue<MessageHeaders> _queue = new();
        private readonly HashSet<string> _window = [];
        private long _now = 1_000_000;

        public uint[] Expected { get; } = new uint[Lanes];

        /// <summary>Messages that the worker found above what it expected.</summary>
        public int GapsInQueue { get; private set; }

        private bool IsDone => Expected.All(expected => expected == Batches);

        public void Play(int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                _now += random.Next(50);
                Step(random.Next(faults ? 9 : 5));
            }
        }

        /// <summary>No more faults: it must come to an end by itself.</summary>
        public void Settle()
        {
            for (var i = 0; i < 100_000 && !IsDone; i++)
            {
                _now += random.Next(50);
                Step(random.Next(5));
                if (i % 500 == 0)
                {
                    _now += 2 * LaneTable.RepeatMilliseconds;
                    Answer();
                }
            }
        }

        private void Step(int step)
        {
            switch (step)
            {
                case 0:
                    Send();
                    break;
                case 1:
                    Receive();
                    break;
                case 2:
                    Publish(repeat: faults && random.Next(4) == 0);
                    break;
                case 3:
                    Work();
                    break;
                case 4:
                    Obey();
                    break;
                case 5 when random.Next(20) == 0:
                    // The tail is lost, or all; the window with it.
                    var keep = random.Next(_queue.Count + 1);
                    var rest = _queue.Take(keep).ToList();
                    _queue.Clear();
                    rest.ForEach(_queue.Enqueue);
                    if (keep == 0)
                    {
                        _window.Clear();
                    }

                    break;
                case 6 when random.Next(20) == 0:
                    // Another owner: it knows what is committed, and nothing of what was admitted.
                    _committed.CopyTo(Expected, 0);
                    Array.Clear(_askedAt);
                    break;
                case 7:
                    Commit(random.Next(Lanes));
                    break;
                case 8 when random.Next(20) == 0:
                    Answer();
                    break;
            }
        }

        private void Send()
        {
            var lane = random.Next(Lanes);
            if (_next[lane] < Batches && _uplink.Count < 8)
            {
                var last = Math.Min(Batches - 1, _next[lane] + (uint)random.Next(3));
                _uplink.Enqueue((lane, _next[lane], last));
                _next[lane] = last + 1;
            }
        }

        private void Receive()
        {
            if (_uplink.TryDequeue(out var frame)
                && _table.Admit(_epochs[frame.Lane], (uint)frame.Lane, frame.First, frame.Last, _now, out var resend) == FrameFate.Stored)
            {
                _outlet.Add(new MessageHeaders
                {
                    Epoch = _epochs[frame.Lane],
                    Lane = (uint)frame.Lane,
                    First = frame.First,
                    Count = frame.Last - frame.First + 1,
                    Class = PriorityClass.Event,
                    ReceivedAt = 0,
                    Generation = 1,
                    Catalogue = 1,
                    Host = "h",
                    Resend = resend,
                });
            }
        }

        private void Publish(bool repeat)
        {
            if (_outlet.Count == 0)
            {
                return;
            }

            var message = _outlet[0];
            if (!repeat)
            {
                _outlet.RemoveAt(0);
            }

            if (_table.IsCurrent(message.Epoch, message.Lane, message.Resend) && _window.Add(message.ToNats("agent-1")["Nats-Msg-Id"].ToString()))
            {
                _queue.Enqueue(message);
            }
        }

        private void Work()
        {
            if (!_queue.TryDequeue(out var message))
            {
                return;
            }

            var lane = (int)message.Lane;
            if (message.First > Expected[lane])
            {
                GapsInQueue++;
                if (_askedAt[lane] == 0 || _now - _askedAt[lane] >= LaneTable.RepeatMilliseconds)
                {
                    _askedAt[lane] = _now;
                    if (!faults || random.Next(3) != 0)
                    {
                        _table.Rewind(message.Epoch, message.Lane, Expected[lane], _now);
                    }
                }
            }
            else if (message.Last >= Expected[lane])
            {
                Expected[lane] = message.Last + 1;
                _askedAt[lane] = 0;
            }
        }

        private void Commit(int lane)
        {
            _committed[lane] = Expected[lane];
            if (random.Next(2) == 0)
            {
                _table.Commit(_epochs[lane], (uint)lane, _committed[lane], _now);
                if (random.Next(2) == 0)
                {
                    _freed[lane] = _committed[lane];
                    _next[lane] = Math.Max(_next[lane], _freed[lane]);
                }
            }
        }

        /// <summary>What a worker that has read everything answers: where each lane that is not whole stands.</summary>
        private void Answer()
        {
            if (_queue.Count == 0)
            {
                for (var lane = 0; lane < Lanes; lane++)
                {
                    _table.Rewind(_epochs[lane], (uint)lane, Expected[lane], _now, asked: _now);
                }
            }
        }

        private void Obey()
        {
            Span<LaneWatermark> orders = new LaneWatermark[Wire.Limits.MaxOpenLanes];
            foreach (var order in orders[.._table.TakeRewinds(orders)])
            {
                _downlink.Enqueue(((int)order.Lane, order.Committed));
            }

            if (random.Next(2) == 0 && _downlink.TryDequeue(out var rewind))
            {
                _next[rewind.Lane] = Math.Min(_next[rewind.Lane], Math.Max(rewind.N, _freed[rewind.Lane]));
            }
        }
    }
}
