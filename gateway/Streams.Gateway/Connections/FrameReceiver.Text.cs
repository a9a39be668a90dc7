using System.Net.WebSockets;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Json;
using Streams.Wire.Messages;

namespace Streams.Gateway.Connections;

/// <summary>
/// Text messages. Nothing in front of an envelope says what it is or how long, so its bytes are read into a buffer that grows; beyond what any message may have,
/// only as far as credit that was granted, and so memory that was reserved, covers it.
/// </summary>
internal sealed partial class FrameReceiver
{
    private const int FirstBuffer = 4096;

    private async ValueTask<ReceivedMessage> ReceiveTextAsync(IFramePermit permit)
    {
        var buffer = buffers.Rent(FirstBuffer);
        try
        {
            var length = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                if (length == buffer.Length)
                {
                    if (length >= Limits.MaxControlFrameBytes && !permit.Covers(length + 1))
                    {
                        return ReceivedMessage.Failed(Receipt.CreditExceeded);
                    }

                    if (length >= Limits.MaxFrameBytes)
                    {
                        return ReceivedMessage.Failed(Receipt.Malformed) with { Error = WireError.TooLarge };
                    }

                    buffer = Grown(buffer, length);
                }

                result = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None).ConfigureAwait(false);
                if (result.MessageType != WebSocketMessageType.Text)
                {
                    return ReceivedMessage.Failed(Receipt.Malformed);
                }

                length += result.Count;
            }
            while (!result.EndOfMessage);

            var message = Read(buffer, length, permit);
            buffer = message.Receipt == Receipt.Frame ? null : buffer;
            return message;
        }
        finally
        {
            if (buffer is not null)
            {
                buffers.Return(buffer);
            }
        }
    }

    private byte[] Grown(byte[] buffer, int length)
    {
        var larger = buffers.Rent(Math.Min(2 * length, Limits.MaxFrameBytes));
        buffer.AsSpan(0, length).CopyTo(larger);
        buffers.Return(buffer);
        return larger;
    }

    private static ReceivedMessage Read(byte[] buffer, int length, IFramePermit permit)
    {
        var text = buffer.AsSpan(0, length);
        var error = EnvelopeReader.TryRead(text, fromAgent: true, out var envelope, out var field);
        var type = error == WireError.None ? envelope!.FrameType(fromAgent: true) : default;
        if (error == WireError.None && type != FrameType.Data && length > Limits.MaxControlFrameBytes)
        {
            error = WireError.TooLarge;
        }

        // As small as the smallest frame at most: with that the pool's bytes bound the number of messages too.
        if (error == WireError.None && type == FrameType.Data && length < Limits.PaddingBytes + FrameHeader.Overhead)
        {
            (error, field) = (WireError.BadValue, "payload");
        }

        if (error != WireError.None)
        {
            var id = envelope is not null && MessageId.IsValid(envelope.Id.Of(text)) ? envelope.IdText(text) : "";
            return ReceivedMessage.Failed(Receipt.Malformed) with { Error = error, Field = field, Id = id };
        }

        return type == FrameType.Data && !permit.TrySpend(envelope!.Channel.LaneClass, length)
            ? ReceivedMessage.Failed(Receipt.CreditExceeded)
            : new ReceivedMessage(Receipt.Frame, buffer, length, type, envelope!.Channel.LaneClass, envelope);
    }
}
