using System.Net.WebSockets;
using Streams.Wire;
using Streams.Wire.Frames;

namespace Streams.Gateway.Connections;

/// <summary>What a receive brought.</summary>
internal enum Receipt : byte
{
    /// <summary>A whole frame is in a rented buffer.</summary>
    Frame = 0,

    /// <summary>The peer closed, in good order or not.</summary>
    Closed,

    /// <summary>Not a frame or envelope: of the other encoding, a bad header, a length that does not fit.</summary>
    Malformed,

    /// <summary>A data frame above the credit.</summary>
    CreditExceeded,
}

/// <summary>
/// The receiving half of a connection. It waits with a read of zero bytes, so an idle connection holds no buffer; then reads the 20 bytes of the frame header, and
/// only then rents a buffer of exactly the frame's length. Not thread-safe: the connection's loop alone receives.
/// </summary>
internal sealed partial class FrameReceiver(WebSocket socket, FrameBuffers buffers, bool json = false)
{
    private readonly byte[] _header = new byte[FrameHeader.Size];
    private long _frameStarted;

    /// <summary>When the first byte of an unfinished frame came, <see cref="Environment.TickCount64"/>; 0 between frames.</summary>
    public long FrameStarted => Volatile.Read(ref _frameStarted);

    /// <summary>Receives one frame. With <see cref="Receipt.Frame"/> the caller owns the buffer.</summary>
    /// <param name="permit">Asked before memory is spent on a data frame; what it permitted comes back to it if the frame does not.</param>
    public async ValueTask<ReceivedMessage> ReceiveAsync(IFramePermit permit)
    {
        byte[]? buffer = null;
        var spent = 0;
        try
        {
            var result = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return ReceivedMessage.Failed(Receipt.Closed);
            }

            Volatile.Write(ref _frameStarted, Environment.TickCount64);
            if (json)
            {
                return result.MessageType != WebSocketMessageType.Text || result.EndOfMessage
                    ? ReceivedMessage.Failed(Receipt.Malformed)
                    : await ReceiveTextAsync(permit).ConfigureAwait(false);
            }

            if (result.MessageType != WebSocketMessageType.Binary || result.EndOfMessage
                || !await FillAsync(_header, 0, FrameHeader.Size, whole: false).ConfigureAwait(false)
                || FrameHeader.TryRead(_header, out var header) != FrameError.None || !FrameHeader.IsFromAgent(header.Type))
            {
                return ReceivedMessage.Failed(Receipt.Malformed);
            }

            var length = header.Length + FrameHeader.Overhead;
            if (header.Type == FrameType.Data)
            {
                // Refused before anything is spent on it. With that the pool's bytes bound the number of frames too: of empty ones it would hold millions.
                if (header.Length == 0 || header.Length % Limits.PaddingBytes != 0)
                {
                    return ReceivedMessage.Failed(Receipt.Malformed);
                }

                if (!permit.TrySpend(header.LaneClass, length))
                {
                    return ReceivedMessage.Failed(Receipt.CreditExceeded);
                }

                spent = length;
            }

            buffer = buffers.Rent(length);
            _header.CopyTo(buffer, 0);
            if (!await FillAsync(buffer, FrameHeader.Size, length, whole: true).ConfigureAwait(false))
            {
                return ReceivedMessage.Failed(Receipt.Malformed);
            }

            var frame = buffer;
            buffer = null;
            spent = 0;
            return new ReceivedMessage(Receipt.Frame, frame, length, header.Type, header.LaneClass);
        }
        catch (Exception error) when (SocketFault.IsGone(error))
        {
            return ReceivedMessage.Failed(Receipt.Closed);
        }
        finally
        {
            Volatile.Write(ref _frameStarted, 0);
            if (buffer is not null)
            {
                buffers.Return(buffer);
            }

            if (spent > 0)
            {
                permit.Refund(spent);
            }
        }
    }

    /// <summary>Reads and drops until the peer closes or the connection is aborted; false when it sent more than <paramref name="most"/> bytes.</summary>
    public async Task<bool> DiscardAsync(long most)
    {
        try
        {
            while (most >= 0 && socket.State is WebSocketState.Open or WebSocketState.CloseSent)
            {
                var result = await socket.ReceiveAsync(_header.AsMemory(), CancellationToken.None).ConfigureAwait(false);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }

                most -= result.Count;
            }
        }
        catch (Exception error) when (SocketFault.IsGone(error))
        {
            // Gone is as good as closed.
        }

        return most >= 0;
    }

    /// <summary>Fills the range. False when the message ends before it, or (whole) does not end with it.</summary>
    private async ValueTask<bool> FillAsync(byte[] buffer, int from, int to, bool whole)
    {
        while (from < to)
        {
            var result = await socket.ReceiveAsync(buffer.AsMemory(from, to - from), CancellationToken.None).ConfigureAwait(false);
            if (result.MessageType != WebSocketMessageType.Binary)
            {
                return false;
            }

            from += result.Count;
            if (result.EndOfMessage)
            {
                return whole && from == to;
            }
        }

        return !whole || await EndsAsync().ConfigureAwait(false);
    }

    /// <summary>A sender may put the end of its message into an empty last fragment.</summary>
    private async ValueTask<bool> EndsAsync()
    {
        var result = await socket.ReceiveAsync(_header.AsMemory(0, 1), CancellationToken.None).ConfigureAwait(false);
        return result is { Count: 0, EndOfMessage: true, MessageType: WebSocketMessageType.Binary };
    }
}
