using System.Net.WebSockets;
using Streams.Gateway.Encryption;
using Streams.Gateway.Queueing;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Connections;

/// <summary>
/// The sending half of a connection: seals what the outbound queue holds, one frame per WebSocket message, and closes at the end. It runs only while there is
/// something to send: an idle session has no task and no buffer for it.
/// </summary>
internal sealed class FrameSender(WebSocket socket, IMessageSealer sealer, FrameBuffers buffers, GatewayMetrics metrics, IFrameSource source)
    : IThreadPoolWorkItem, IDisposable
{
    private readonly OutboundQueue _queue = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sendStarted;
    private CloseCode _code = CloseCode.Normal;

    /// <summary>When the send that is under way began, <see cref="Environment.TickCount64"/>; 0 while none is.</summary>
    public long SendStarted => Volatile.Read(ref _sendStarted);

    /// <summary>Completes when everything was sent, the close included, or could not be.</summary>
    public Task Ended => _ended.Task;

    public void Raise(FrameType state)
    {
        if (_queue.Raise(state))
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Queues a control message; false when the agent takes too little: the session must end.</summary>
    public bool TrySend(FrameType type, ReadOnlyMemory<byte> payload) => TrySend(new OutboundMessage(type, payload));

    /// <summary>As above, signed when it is sent.</summary>
    public bool TrySend(ControlMessage message) => TrySend(new OutboundMessage(FrameType.GatewayMessage, default, message));

    private bool TrySend(OutboundMessage message)
    {
        var taken = _queue.TryAdd(message, out var start);
        if (start)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        return taken;
    }

    /// <summary>Sends the goodbye if wanted, then the close, and nothing more.</summary>
    public void Close(bool goodbye, CloseCode code)
    {
        _code = code;
        if (_queue.Close(goodbye))
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = PumpAsync();

    /// <summary>Gives the key back. Only after <see cref="Ended"/>: a slot that is given back belongs to another session.</summary>
    public void Dispose() => sealer.Dispose();

    private async Task PumpAsync()
    {
        try
        {
            bool last;
            while (_queue.TryTake(out var message, out last))
            {
                if (sealer.IsRekeyDue)
                {
                    await SendRekeyAsync().ConfigureAwait(false);
                }

                await SendAsync(message).ConfigureAwait(false);
            }

            if (last)
            {
                Volatile.Write(ref _sendStarted, Environment.TickCount64);
                await socket.CloseOutputAsync((WebSocketCloseStatus)_code, null, CancellationToken.None).ConfigureAwait(false);
                Volatile.Write(ref _sendStarted, 0);
                _ended.TrySetResult();
            }
        }
        catch (Exception error) when (SocketFault.IsGone(error))
        {
            // The connection is gone. The receiving half sees that too and ends the session; TryTake is not called again, so the queue stays "sending".
            Volatile.Write(ref _sendStarted, 0);
            _ended.TrySetResult();
            socket.Abort();
        }
        catch (Exception fault)
        {
            // A fault of ours. As above, but told: unseen, the session would be silent for ever and its close would wait for an end that never comes.
            Volatile.Write(ref _sendStarted, 0);
            source.SendFailed(fault);
            _ended.TrySetResult();
            socket.Abort();
        }
    }

    private async ValueTask SendAsync(OutboundMessage message)
    {
        var room = message.IsState ? source.MaxPayload(message.Type)
            : message.Message is { } control ? MessageFrame.GetLength(control)
            : message.Payload.Length;
        var buffer = buffers.Rent(room + FrameHeader.Overhead);
        try
        {
            var length = Seal(message, room, ref buffer);
            if (length < 0)
            {
                return;
            }

            await SendAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
            metrics.Control("sent", message.Type);
        }
        finally
        {
            buffers.Return(buffer);
        }
    }

    private async ValueTask SendRekeyAsync()
    {
        var buffer = buffers.Rent(FrameHeader.Overhead);
        try
        {
            var length = sealer.SealRekey(ref buffer, buffers);
            await SendAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
        }
        finally
        {
            buffers.Return(buffer);
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> sealedMessage)
    {
        Volatile.Write(ref _sendStarted, Environment.TickCount64);
        await socket.SendAsync(sealedMessage, sealer.Kind, WebSocketMessageFlags.EndOfMessage, CancellationToken.None).ConfigureAwait(false);
        Volatile.Write(ref _sendStarted, 0);
    }

    private int Seal(OutboundMessage message, int room, ref byte[] buffer)
    {
        if (message.Message is { } control)
        {
            return sealer.Seal(control, ref buffer, buffers);
        }

        var payload = buffer.AsSpan(FrameHeader.Size, room);
        if (!message.IsState)
        {
            message.Payload.Span.CopyTo(payload);
        }

        var length = message.IsState ? source.WritePayload(message.Type, payload) : message.Payload.Length;
        return length < 0 ? -1 : sealer.Seal(message.Type, ref buffer, length, buffers);
    }
}
