using Streams.AgentLink.Credit;
using Streams.AgentLink.Lanes;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Session;

/// <summary>The send loop.</summary>
internal sealed partial class LinkSession
{
    private const int PayloadAt = WebSocketConnection.HeaderRoom + FrameHeader.Size;

    private readonly byte[] _frame;
    private readonly FrameScheduler _scheduler = new();
    private readonly WantTracker _want = new();
    private readonly LaneTable.Backlog[] _backlogs = new LaneTable.Backlog[Limits.LaneClasses];
    private readonly bool[] _eligible = new bool[Limits.LaneClasses];
    private readonly ClassWant[] _wants = new ClassWant[Limits.LaneClasses];
    private ulong _heartbeatSent;

    private async Task SendLoopAsync()
    {
        try
        {
            await ReadyAsync().ConfigureAwait(false);
            var nextHeartbeat = _time.GetTimestamp();
            await using var timer = _time.CreateTimer(
                static state => ((AsyncSignal)state!).Set(), _signal, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            while (_end is null)
            {
                var now = _time.GetTimestamp();
                if (Overdue(now) is { } overdue)
                {
                    End(overdue);
                    break;
                }

                if (_connection.PongDue)
                {
                    await _connection.SendPongAsync(CancellationToken.None).ConfigureAwait(false);
                }

                var beat = now >= nextHeartbeat;
                if (beat)
                {
                    nextHeartbeat = now + _heartbeatTicks;
                    // Its ledger speaks of batches: they are durable first.
                    _lanes.Sync();
                    await SendAsync(FrameType.Heartbeat, LaneClass.Control, WriteHeartbeat()).ConfigureAwait(false);
                }

                await SendMessagesAsync().ConfigureAwait(false);
                _lanes.Peek(_backlogs);
                if (_want.Update(_backlogs, _credit, beat, _wants))
                {
                    await SendAsync(FrameType.Want, LaneClass.Control, WantMessage.Write(_wants, Payload)).ConfigureAwait(false);
                }

                if (!await TrySendDataAsync().ConfigureAwait(false) && _end is null)
                {
                    ArmTimer(timer, nextHeartbeat);
                    await _signal.WaitAsync().ConfigureAwait(false);
                }
            }

            await _connection.SendCloseAsync(_end!.Close, CancellationToken.None).ConfigureAwait(false);
            _connection.FinishSending();
        }
        catch (Exception exception) when (IsDisconnect(exception))
        {
            End(new LinkEnd(LinkEndReason.Closed, $"connection lost: {exception.Message}"));
        }
    }

    private Span<byte> Payload => _frame.AsSpan(PayloadAt);

    private ValueTask ReadyAsync()
    {
        var ready = new ReadyMessage(_keys.Session.Generation, Math.Min(_keys.Session.CatalogueVersion, Schema.Catalogue.Version), _version, _host);
        return SendAsync(FrameType.Ready, LaneClass.Control, ready.Write(Payload));
    }

    /// <summary>Seals the payload that is in the frame buffer and sends it.</summary>
    private ValueTask SendAsync(FrameType type, LaneClass laneClass, int payloadLength)
    {
        var length = _keys.Sealer.Seal(type, laneClass, _frame.AsSpan(WebSocketConnection.HeaderRoom), payloadLength);
        return _connection.SendAsync(_frame, length, CancellationToken.None);
    }

    /// <summary>Sends the next data frame; false when no class has both data and credit.</summary>
    private async ValueTask<bool> TrySendDataAsync()
    {
        for (var i = 0; i < Limits.LaneClasses; i++)
        {
            _eligible[i] = _backlogs[i].NextFrameBytes > 0 && _backlogs[i].NextFrameBytes <= Math.Min(_credit.Available(i), _maxFrame);
        }

        var laneClass = _scheduler.Pick(_eligible);
        if (laneClass < 0)
        {
            return false;
        }

        var room = Math.Min(Math.Min(_credit.Available(laneClass), _maxFrame),
            Math.Max(_scheduler.Allowance(laneClass), _backlogs[laneClass].NextFrameBytes));
        var payload = _lanes.Take((Schema.PriorityClass)laneClass, room, Payload);
        if (payload == 0)
        {
            // The lane that is next changed since the look: look again.
            return true;
        }

        var bytes = payload + FrameHeader.Overhead;
        _credit.Use(laneClass, bytes);
        _scheduler.Sent(laneClass, bytes);
        await SendAsync(FrameType.Data, (LaneClass)laneClass, payload).ConfigureAwait(false);
        _counters.Sent(bytes);
        return true;
    }

    private int WriteHeartbeat()
    {
        var state = _hooks.Heartbeat?.Invoke() ?? new HeartbeatMessage();
        var now = (ulong)UnixMicroseconds();
        Volatile.Write(ref _heartbeatSent, now);
        var heartbeat = state with
        {
            SentAt = now,
            RetainedBytes = (uint)Math.Min(_lanes.RetainedBytes, uint.MaxValue),
            Lanes = (ushort)_lanes.Count().Lanes,
        };
        return heartbeat.Write(Payload);
    }

    private LinkEnd? Overdue(long now)
    {
        if (now - Volatile.Read(ref _lastHeard) > Limits.MissedHeartbeats * _heartbeatTicks)
        {
            return new LinkEnd(LinkEndReason.HeartbeatLost, $"no frame for {Limits.MissedHeartbeats} heartbeats", Close: CloseCode.HeartbeatLost);
        }

        return now >= _expires ? new LinkEnd(LinkEndReason.Expired, "the session reached its age", Close: CloseCode.SessionExpired) : null;
    }

    private void ArmTimer(ITimer timer, long nextHeartbeat)
    {
        var due = Math.Min(Math.Min(nextHeartbeat, _expires), Volatile.Read(ref _lastHeard) + Limits.MissedHeartbeats * _heartbeatTicks + 1);
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), due) + TimeSpan.FromMilliseconds(1);
        timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
