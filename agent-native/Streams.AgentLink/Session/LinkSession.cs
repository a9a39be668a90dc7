using System.Net.Sockets;
using Streams.AgentLink.Credit;
using Streams.AgentLink.Lanes;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Session;

/// <summary>
/// A session that was confirmed: one send loop and one receive loop until either ends. The first reason to end wins. Everything sent goes
/// through the send
/// loop, which picks each frame anew, so that an alert waits for at most the one frame that is on the socket.
/// </summary>
internal sealed partial class LinkSession
{
    /// <summary>
    /// How long the other loop may take to finish once one has ended: to send the close frame, or to read on until the peer closes too (a
    /// socket closed
    /// with unread bytes sends a reset, which may overtake the close frame).
    /// </summary>
    private static readonly TimeSpan EndGrace = TimeSpan.FromSeconds(1);

    private readonly WebSocketConnection _connection;
    private readonly HandshakeDriver.Established _keys;
    private readonly LaneTable _lanes;
    private readonly LinkCounters _counters;
    private readonly AgentLinkHooks _hooks;
    private readonly TimeProvider _time;
    private readonly AsyncSignal _signal;
    private readonly CreditWindow _credit = new();
    private readonly long _heartbeatTicks;
    private readonly long _expires;
    private readonly int _maxFrame;
    private readonly Action _onFreed;
    private readonly AgentIdentity _identity;
    private readonly MessageOutbox _outbox;
    private readonly string _version;
    private readonly string _host;
    private long _lastHeard;
    private LinkEnd? _end;

    internal LinkSession(WebSocketConnection connection, HandshakeDriver.Established keys, LaneTable lanes, LinkCounters counters,
        AgentLinkOptions options, AgentLinkHooks hooks, TimeProvider time, AsyncSignal signal, Action onFreed,
        AgentIdentity identity, MessageOutbox outbox)
    {
        _identity = identity;
        _outbox = outbox;
        _token = keys.Session.Token;
        _connection = connection;
        _keys = keys;
        _lanes = lanes;
        _counters = counters;
        _hooks = hooks;
        _time = time;
        _signal = signal;
        _onFreed = onFreed;
        _version = options.AgentVersion;
        _host = options.HostName;
        _maxFrame = Math.Min(options.MaxFrameBytes, keys.Session.MaxFrameBytes);
        _frame = new byte[WebSocketConnection.HeaderRoom + Math.Max(_maxFrame, Limits.MaxControlFrameBytes)];
        _heartbeatTicks = keys.Session.HeartbeatSeconds * time.TimestampFrequency;
        _lastHeard = time.GetTimestamp();

        // 75 to 100 %: a fleet that connected together does not reconnect together, and no session lives longer than the gateway said.
        var age = keys.Session.SessionSeconds * (0.75 + Random.Shared.NextDouble() / 4);
        _expires = _lastHeard + (long)(age * time.TimestampFrequency);
        connection.OnPing = signal.Set;
    }

    /// <summary>Runs until the session ends; gives the reason. Never throws for what a peer or network can do.</summary>
    internal async Task<LinkEnd> RunAsync(CancellationToken stop)
    {
        using var registration = stop.UnsafeRegister(
            static state => ((LinkSession)state!).End(new LinkEnd(LinkEndReason.Stopped, "stopped")), this);
        var send = SendLoopAsync();
        var receive = ReceiveLoopAsync();
        var both = Task.WhenAll(send, receive);
        await Task.WhenAny(send, receive).ConfigureAwait(false);
        await Task.WhenAny(both, Task.Delay(EndGrace, CancellationToken.None)).ConfigureAwait(false);
        _connection.Dispose();
        await both.ConfigureAwait(false);
        return _end!;
    }

    /// <summary>Any thread; harmless when it has ended.</summary>
    internal void Renew() => End(new LinkEnd(LinkEndReason.Expired, "to begin again with another key", Close: CloseCode.SessionExpired));

    private void End(LinkEnd end)
    {
        Interlocked.CompareExchange(ref _end, end, null);
        _signal.Set();
    }

    /// <summary>What a socket that fails throws; anything else is a defect and must surface.</summary>
    private static bool IsDisconnect(Exception exception) =>
        exception is SocketException or ObjectDisposedException or IOException;

    private async Task ReceiveLoopAsync()
    {
        var watermarks = new LaneWatermark[64];
        try
        {
            while (true)
            {
                var message = await _connection.ReceiveAsync(CancellationToken.None).ConfigureAwait(false);
                if (message.IsEmpty)
                {
                    End(new LinkEnd(LinkEndReason.Closed, $"closed by the gateway with code {_connection.CloseCode}"));
                    return;
                }

                if (_end is null && Handle(message.Span, ref watermarks) is { } broken)
                {
                    End(new LinkEnd(LinkEndReason.Protocol, broken, Close: CloseCode.Protocol));
                }
            }
        }
        catch (LinkEndedException ended)
        {
            End(ended.End);
        }
        catch (Exception exception) when (IsDisconnect(exception))
        {
            End(new LinkEnd(LinkEndReason.Closed, $"connection lost: {exception.Message}"));
        }
    }

    /// <summary>Handles one frame; null, or what was wrong with it.</summary>
    private string? Handle(Span<byte> frame, ref LaneWatermark[] watermarks)
    {
        var error = _keys.Opener.TryOpen(frame, out var header, out var payload);
        if (error != FrameError.None)
        {
            return $"frame refused: {error}";
        }

        Volatile.Write(ref _lastHeard, _time.GetTimestamp());
        switch (header.Type)
        {
            case FrameType.Credit:
                Span<ulong> offsets = stackalloc ulong[Limits.LaneClasses];
                if (!CreditMessage.TryRead(payload, offsets))
                {
                    return "malformed credit";
                }

                _credit.Grant(offsets);
                _signal.Set();
                return null;
            case FrameType.Watermark:
                Grow(ref watermarks, payload.Length);
                return WatermarkMessage.TryRead(payload, watermarks, out var count) ? Release(watermarks.AsSpan(0, count)) : "malformed watermark";
            case FrameType.Rewind:
                Grow(ref watermarks, payload.Length);
                if (!WatermarkMessage.TryRead(payload, watermarks, out var rewound))
                {
                    return "malformed rewind";
                }

                _lanes.Rewind(watermarks.AsSpan(0, rewound));
                _signal.Set();
                return null;
            case FrameType.Hold:
                Grow(ref watermarks, payload.Length);
                if (!WatermarkMessage.TryRead(payload, watermarks, out var held))
                {
                    return "malformed hold";
                }

                _lanes.Hold(watermarks.AsSpan(0, held));
                return null;
            case FrameType.GatewayHeartbeat:
                Grow(ref watermarks, payload.Length);
                if (!GatewayHeartbeatMessage.TryRead(payload, watermarks, out _, out var echo, out var full))
                {
                    return "malformed heartbeat";
                }

                if (echo != 0 && echo == Volatile.Read(ref _heartbeatSent))
                {
                    _counters.RoundTrip = UnixMicroseconds() - (long)echo;
                }

                return Release(watermarks.AsSpan(0, full));
            case FrameType.Goodbye:
                if (!GoodbyeMessage.TryRead(payload, out var goodbye))
                {
                    return "malformed goodbye";
                }

                End(LinkEnd.Of(goodbye));
                return null;
            case FrameType.GatewayMessage:
                return TakeMessage(payload, in header);
            case FrameType.Token:
                if (!TokenMessage.TryRead(payload, out var token))
                {
                    return "malformed token";
                }

                _token = token.ToArray();
                return null;
            case FrameType.GatewayError:
                return NotTaken(payload);
            default:
                return $"unexpected {header.Type}";
        }
    }

    /// <summary>A quiet agent has few lanes: the buffer for watermarks starts small and follows what the gateway sends.</summary>
    private static void Grow(ref LaneWatermark[] watermarks, int payloadLength)
    {
        var needed = Math.Min(Limits.MaxWatermarks, payloadLength / 24 + 1);
        if (watermarks.Length < needed)
        {
            watermarks = new LaneWatermark[needed];
        }
    }

    private string? Release(ReadOnlySpan<LaneWatermark> watermarks)
    {
        if (!_lanes.Release(watermarks, out var freed))
        {
            return "watermark above what was sent";
        }

        if (freed)
        {
            _onFreed();
            // Lanes in flight are bounded: another may begin now.
            _signal.Set();
        }

        return null;
    }

    private long UnixMicroseconds() => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;
}
