using System.Buffers;
using Streams.Gateway.Connections;
using Streams.Gateway.Credit;
using Streams.Queue;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Sessions;

/// <summary>
/// Between the worker and the agent: watermarks, rewinds and holds, asked for or heard, told as states that are written when they are sent.
/// </summary>
internal sealed partial class AgentSession
{
    private const long LongestDoubt = 2000;

    /// <summary>
    /// A worker that begins anew answers before it has read everything, and then cannot say what it misses: so it is asked more than once,
    /// as long as something is not known to be committed.
    /// </summary>
    private const int QuestionsPerDoubt = 3;

    private static int LaneWatermarkBytes { get; } = WatermarkMessage.GetLength(1) - WatermarkMessage.GetLength(0);

    /// <summary>The worker spoke of one of this agent's lanes by itself.</summary>
    public void Flow(in FlowRecord record)
    {
        Take(record, asked: null);
        TellOrders();
        TellWatermarks(Environment.TickCount64);
    }

    public void TellOrders()
    {
        if (Lanes.HasRewinds)
        {
            _sender.Raise(FrameType.Rewind);
        }

        if (Lanes.HasHolds)
        {
            _sender.Raise(FrameType.Hold);
        }
    }

    public void Doubt() => Doubt(LongestDoubt);

    /// <summary>
    /// The worker is asked within so many milliseconds, at a time drawn at random: a queue that comes back puts all sessions in doubt at
    /// once.
    /// </summary>
    public void Doubt(long within)
    {
        Volatile.Write(ref _questions, QuestionsPerDoubt);
        AskWithin(within);
    }

    private void AskWithin(long within) =>
        Interlocked.CompareExchange(ref _askAfter, Environment.TickCount64 + Random.Shared.NextInt64(within / 2, within), 0);

    int IFrameSource.MaxPayload(FrameType state) => state switch
    {
        FrameType.Credit => CreditMessage.Length,
        FrameType.Goodbye => GoodbyeMessage.Length,
        FrameType.Watermark => WatermarkMessage.GetLength(Lanes.Count),
        FrameType.Rewind or FrameType.Hold => WatermarkMessage.GetLength(Math.Min(Lanes.Count, Limits.MaxOpenLanes)),
        _ => GatewayHeartbeatMessage.GetLength(Lanes.Count),
    };

    int IFrameSource.WritePayload(FrameType state, Span<byte> payload)
    {
        switch (state)
        {
            case FrameType.Credit:
                Span<ulong> granted = stackalloc ulong[Limits.LaneClasses];
                _core.Pool.ReadGranted(_account!, granted);
                return CreditMessage.Write(granted, payload);
            case FrameType.Goodbye:
                return new GoodbyeMessage(Ended.Goodbye()!.Value, Ended == SessionEnd.Draining ? _core.DrainDelay() : Ended.RetryAfter()).Write(payload);
            case FrameType.Rewind or FrameType.Hold:
                return WriteOrders(state, payload);
            default:
                return WriteWatermarks(payload, all: state == FrameType.GatewayHeartbeat);
        }
    }

    private int WriteOrders(FrameType state, Span<byte> payload)
    {
        Span<LaneWatermark> orders = stackalloc LaneWatermark[(payload.Length - WatermarkMessage.GetLength(0)) / LaneWatermarkBytes];
        var count = state == FrameType.Rewind ? Lanes.TakeRewinds(orders) : Lanes.TakeHolds(orders);
        if (state == FrameType.Rewind)
        {
            _core.Metrics.RewindsTold(count);
        }
        else
        {
            _core.Metrics.HoldsTold(count);
        }

        return count == 0 ? -1 : WatermarkMessage.Write(orders[..count], payload);
    }

    private int WriteWatermarks(Span<byte> payload, bool all)
    {
        // As many as there was room made for: a lane that came since then stays news.
        var room = (payload.Length - (all ? GatewayHeartbeatMessage.GetLength(0) : WatermarkMessage.GetLength(0))) / LaneWatermarkBytes;
        var watermarks = ArrayPool<LaneWatermark>.Shared.Rent(Math.Max(1, room));
        try
        {
            var count = Lanes.Write(watermarks.AsSpan(0, room), all);
            var now = _core.UnixMicroseconds();
            var agentClock = Volatile.Read(ref _agentClock);
            var echo = agentClock == 0 ? 0 : unchecked((ulong)(now + agentClock));
            return all ? GatewayHeartbeatMessage.Write((ulong)now, echo, watermarks.AsSpan(0, count), payload)
                : count == 0 ? -1
                : WatermarkMessage.Write(watermarks.AsSpan(0, count), payload);
        }
        finally
        {
            ArrayPool<LaneWatermark>.Shared.Return(watermarks);
        }
    }

    private void TellWatermarks(long now)
    {
        if (Lanes.HasNews && _heartbeat.MayTell(now))
        {
            _sender.Raise(FrameType.Watermark);
        }
    }

    private void Take(in FlowRecord record, long? asked)
    {
        var now = Environment.TickCount64;
        switch (record.Kind)
        {
            case FlowKind.Rewind when Lanes.Rewind(record.Epoch, record.Lane, record.N, now, asked):
                _core.Metrics.Rewound();
                _core.Logger.LaneRewound(Route.AgentId, record.Epoch, record.Lane, record.N);
                break;
            case FlowKind.Hold when Lanes.Hold(record.Epoch, record.Lane, record.N, now):
                _core.Logger.LaneHeld(Route.AgentId, record.Epoch, record.Lane, record.N);
                break;
            case FlowKind.Watermark:
                Lanes.Commit(record.Epoch, record.Lane, record.N, now);
                break;
        }
    }

    private void TakeAnswer(IReadOnlyList<FlowRecord> records, long asked)
    {
        if (records.Any(record => record.IsCaughtUp))
        {
            foreach (var (epoch, lane, committed) in Lanes.Unnamed(records))
            {
                // The queue lost all of it before the worker saw any.
                Take(new FlowRecord(FlowKind.Rewind, Route.AgentId, epoch, lane, committed), asked);
            }
        }

        // Watermarks last: one that moves makes older words about its lane void, but not those that came with it.
        foreach (var record in records.OrderBy(record => record.Kind == FlowKind.Watermark))
        {
            Take(record, asked);
        }
    }

    /// <summary>
    /// The heartbeat carries the full state. What flow said may have been lost, so while something is not known to be committed the worker
    /// is asked first; the heartbeat goes out with or without its answer.
    /// </summary>
    private void BeginHeartbeat()
    {
        // While the queue is away nobody answers, and the heartbeat must not wait for that.
        if (Lanes.HasUncommitted && !_core.Pool.IsSuspended(CreditStop.QueueAway) && Interlocked.Exchange(ref _asking, 1) == 0)
        {
            _ = AskAsync(heartbeat: true);
        }
        else
        {
            _sender.Raise(FrameType.GatewayHeartbeat);
        }
    }

    /// <summary>After an outage, or a publish whose outcome nobody knows, the lanes go on from what the worker expects.</summary>
    private void AskWhenInDoubt(long now)
    {
        var due = Volatile.Read(ref _askAfter);
        if (due == 0 || now < due || _core.Pool.IsSuspended(CreditStop.QueueAway)
            || Interlocked.Exchange(ref _asking, 1) != 0)
        {
            return;
        }

        Volatile.Write(ref _askAfter, 0);
        if (Lanes.HasUncommitted)
        {
            _ = AskAsync(heartbeat: false);
        }
        else
        {
            Volatile.Write(ref _asking, 0);
        }
    }

    private async Task AskAsync(bool heartbeat)
    {
        var answered = false;
        try
        {
            var asked = Environment.TickCount64;
            var records = await _core.AskWatermarksAsync(Route.Partition, Route.AgentId).ConfigureAwait(false);
            answered = records is not null;
            TakeAnswer(records ?? [], asked);
        }
        catch (Exception fault)
        {
            // E.g. a queue connection that is being disposed. Nobody awaits this task, so the fault is told here; the next heartbeat asks again.
            _core.Metrics.Error("ask_watermarks");
            _core.Logger.AskFailed(Route.AgentId, fault);
        }
        finally
        {
            Volatile.Write(ref _asking, 0);
            if (heartbeat)
            {
                _sender.Raise(FrameType.GatewayHeartbeat);
            }
            else if (!answered || Interlocked.Decrement(ref _questions) > 0)
            {
                // No answer: the partition has no owner yet.
                AskWithin(answered ? 2 * LongestDoubt : LongestDoubt);
            }

            TellOrders();
        }
    }
}
