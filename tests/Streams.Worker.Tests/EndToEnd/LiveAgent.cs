using System.Collections.Concurrent;
using Streams.Checker;
using Streams.Queue;
using Streams.Schema;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>
/// An agent with a spool that never forgets, and the part of a gateway that goes back: it obeys rewinds, sends on from the watermark when
/// the queue did not acknowledge, and asks for the watermarks as a heartbeat does. It is done when the worker says that all is committed.
/// </summary>
internal sealed class LiveAgent : IAsyncDisposable
{
    private const uint Lanes = 3;

    private static int _agents;

    private readonly Lock _gate = new();
    private readonly Lane[] _lanes = new Lane[Lanes];
    private readonly ConcurrentQueue<PublishResult> _failed = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly FlowSubscriber _flow;
    private readonly Publisher _publisher;
    private readonly Task _loops;
    private ulong _generation = 1;

    private LiveAgent(string agentId, FlowSubscriber flow, Publisher publisher, ConcurrentQueue<PublishResult> failed)
    {
        AgentId = agentId;
        _flow = flow;
        _publisher = publisher;
        _failed = failed;
        _loops = Task.WhenAll(SendAsync(), AskAsync());
    }

    public string AgentId { get; }

    public Epoch Epoch { get; } = Epoch.NewRandom();

    /// <summary>New batches are made while it is true.</summary>
    public bool Producing { get; set; } = true;

    public int Rewinds { get; private set; }

    public uint Committed
    {
        get
        {
            lock (_gate)
            {
                return (uint)_lanes.Sum(lane => lane.Mark);
            }
        }
    }

    public uint Made
    {
        get
        {
            lock (_gate)
            {
                return (uint)_lanes.Sum(lane => lane.Made);
            }
        }
    }

    public IReadOnlyList<StampedSequence> Stamped => [.. _lanes.Select((lane, i) => new StampedSequence(
        Epoch.Prefix, "process_exec", (ushort)i, lane.Made * (ulong)(Producer.Rows + Producer.Lost)))];

    public static async Task<LiveAgent> OpenAsync(WorkerStack stack)
    {
        var id = $"live-{Interlocked.Increment(ref _agents)}";
        LiveAgent? agent = null;
        var failed = new ConcurrentQueue<PublishResult>();
        var flow = await FlowSubscriber.OpenAsync(stack.Gateway, record => Volatile.Read(ref agent)?.Hear(record));
        var publisher = await Publisher.OpenAsync(
            stack.Gateway, Subjects.PartitionOf(id, WorkerStack.Partitions), new PublisherOptions(), result =>
            {
                if (result.Outcome is not (PublishOutcome.Acknowledged or PublishOutcome.Duplicate))
                {
                    failed.Enqueue(result);
                }
            });
        Volatile.Write(ref agent, new LiveAgent(id, flow, publisher, failed));
        return agent!;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loops.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _publisher.DisposeAsync();
        await _flow.DisposeAsync();
    }

    private void Hear(FlowRecord record)
    {
        if (record.AgentId != AgentId || record.Epoch != Epoch)
        {
            return;
        }

        lock (_gate)
        {
            ref var lane = ref _lanes[record.Lane];
            if (record.Kind == FlowKind.Watermark)
            {
                lane.Mark = Math.Max(lane.Mark, record.N);
            }
            else if (record.Kind == FlowKind.Rewind && record.N < lane.Next)
            {
                lane.Next = record.N;
                _generation++;
                Rewinds++;
            }
        }
    }

    private async Task SendAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            for (uint i = 0; i < Lanes; i++)
            {
                uint n;
                ulong generation;
                lock (_gate)
                {
                    ref var lane = ref _lanes[i];
                    if (Producing && lane.Next == lane.Made)
                    {
                        lane.Made++;
                    }

                    if (lane.Next == lane.Made)
                    {
                        continue;
                    }

                    n = lane.Next++;
                    generation = _generation;
                }

                var seq = (n * (ulong)(Producer.Rows + Producer.Lost)) + 1;
                var bytes = Fakes.Batches.Seal(new BatchName(Epoch, i, n), Producer.Rows, seq, Producer.Lost, (ushort)i);
                await _publisher.PublishAsync(AgentId, Headers(i, n, generation), bytes, cancel: _stop.Token);
            }

            await Task.Delay(5, _stop.Token);
        }
    }

    private async Task AskAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var again = !_failed.IsEmpty;
            var answer = await _flow.AskAsync(
                Subjects.PartitionOf(AgentId, WorkerStack.Partitions), AgentId, TimeSpan.FromSeconds(1), _stop.Token);
            foreach (var record in answer ?? [])
            {
                Hear(record);
            }

            if (again && answer is { Count: not 0 })
            {
                _failed.Clear();
                lock (_gate)
                {
                    // What became of the messages in flight nobody knows: on from what is committed.
                    foreach (ref var lane in _lanes.AsSpan())
                    {
                        lane.Next = lane.Mark;
                    }

                    _generation++;
                }
            }

            await Task.Delay(300, _stop.Token);
        }
    }

    private MessageHeaders Headers(uint lane, uint n, ulong generation) => new()
    {
        Epoch = Epoch,
        Lane = lane,
        First = n,
        Count = 1,
        Class = PriorityClass.Event,
        ReceivedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000,
        Generation = generation,
        Catalogue = Catalogue.Version,
        Host = "host-" + AgentId,
    };

    private struct Lane
    {
        public uint Made;
        public uint Next;
        public uint Mark;
    }
}
