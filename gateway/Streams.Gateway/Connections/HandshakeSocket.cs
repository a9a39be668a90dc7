using System.Net.WebSockets;
using Streams.Wire;
using Streams.Wire.Json;

namespace Streams.Gateway.Connections;

/// <summary>Handshake messages on the socket: the binary structs themselves, or in envelopes.</summary>
/// <param name="json">Which of the two.</param>
internal sealed class HandshakeSocket(WebSocket socket, FrameBuffers buffers, TimeProvider time, bool json)
{
    /// <summary>It was received and is no handshake message: of the other encoding, or no envelope of one.</summary>
    public const int Malformed = -3;

    /// <summary>It is larger than one may be.</summary>
    public const int TooLarge = -2;

    /// <summary>The peer is gone.</summary>
    public const int Gone = -1;

    /// <summary>Whom the envelope of the message that came last names; null when there was none around it.</summary>
    public string? AgentId { get; private set; }

    /// <summary>False when the peer is gone.</summary>
    public async ValueTask<bool> TrySendAsync(ReadOnlyMemory<byte> message, MessageType type, string agentId)
    {
        try
        {
            if (!json)
            {
                await socket.SendAsync(message, WebSocketMessageType.Binary, true, CancellationToken.None).ConfigureAwait(false);
                return true;
            }

            var text = buffers.Rent(HandshakeEnvelope.MaxBytes);
            try
            {
                var length = HandshakeEnvelope.Write(message.Span, type, agentId, Now(), text);
                await socket.SendAsync(text.AsMemory(0, length), WebSocketMessageType.Text, true, CancellationToken.None).ConfigureAwait(false);
                return true;
            }
            finally
            {
                buffers.Return(text);
            }
        }
        catch (Exception error) when (SocketFault.IsGone(error))
        {
            return false;
        }
    }

    /// <summary>Receives one message; its length, or one of the negative numbers above.</summary>
    /// <param name="buffer">One byte longer than a handshake message may be: that shows that one is too large.</param>
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        if (!json)
        {
            return await FillAsync(buffer, WebSocketMessageType.Binary).ConfigureAwait(false);
        }

        var text = buffers.Rent(HandshakeEnvelope.MaxBytes + 1);
        try
        {
            var length = await FillAsync(text.AsMemory(0, HandshakeEnvelope.MaxBytes + 1), WebSocketMessageType.Text).ConfigureAwait(false);
            return length < 0 ? length : Decode(text.AsSpan(0, length), buffer.Span);
        }
        finally
        {
            buffers.Return(text);
        }
    }

    private int Decode(Span<byte> text, Span<byte> buffer)
    {
        if (!HandshakeEnvelope.TryRead(text, fromAgent: true, out var message, out var agentId))
        {
            return Malformed;
        }

        AgentId = agentId;
        message.CopyTo(buffer);
        return message.Length;
    }

    private async ValueTask<int> FillAsync(Memory<byte> buffer, WebSocketMessageType type)
    {
        try
        {
            var length = 0;
            while (length < buffer.Length)
            {
                var result = await socket.ReceiveAsync(buffer[length..], CancellationToken.None).ConfigureAwait(false);
                if (result.MessageType != type)
                {
                    return result.MessageType == WebSocketMessageType.Close ? Gone : Malformed;
                }

                length += result.Count;
                if (result.EndOfMessage)
                {
                    return length;
                }
            }

            return TooLarge;
        }
        catch (Exception error) when (SocketFault.IsGone(error))
        {
            return Gone;
        }
    }

    private ulong Now() => (ulong)((time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
}
