using System.Buffers.Binary;
using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Wire.Messages;

/// <summary>
/// Message (5 and 71), both directions: <c>type u8 ‖ channel u8 ‖ id str8 ‖ module str8 ‖ timestamp u64 (Unix µs) ‖ payload u32-length ‖ signature 64</c>, signature =
/// sign(sender's key, "control message", session_id ‖ direction u8 (0 from the agent, 1 from the gateway) ‖ key_epoch u32 ‖ counter u64 ‖ H(everything before it)).
/// key_epoch and counter are those of the frame that carries it, so a signed message is good at one place of one session.
/// </summary>
public static class MessageFrame
{
    /// <summary>Bytes beside id, module and payload.</summary>
    private const int FixedBytes = 1 + 1 + 1 + 1 + 8 + 4 + SigningKey.SignatureSize;
    private const int SignedBytes = KeySchedule.SessionIdSize + 1 + 4 + 8 + Sha256.Size;

    /// <summary>Largest payload that fits with any id and module.</summary>
    public const int MaxPayloadBytes =
        Limits.MaxControlFrameBytes - FrameHeader.Overhead - FixedBytes - Limits.MaxMessageIdBytes - Limits.MaxModuleNameBytes;

    public static int GetLength(ControlMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return FixedBytes + message.Id.Length + message.Module.Length + message.Payload.Length;
    }

    /// <summary>Writes a message of the agent.</summary>
    /// <param name="place">What <see cref="FrameSealer.NameNext"/> gave for the frame that will carry it.</param>
    /// <returns>Length of the payload.</returns>
    public static int Write(
        ControlMessage message, AgentIdentity sender, ReadOnlySpan<byte> sessionId, (uint KeyEpoch, ulong Counter) place, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(sender);
        return Write(message, sender.Key, fromAgent: true, sessionId, place, destination);
    }

    /// <summary>Writes a message of a key that has no identity yet, in a session of mode enrol.</summary>
    public static int Write(
        ControlMessage message, SigningKey sender, ReadOnlySpan<byte> sessionId, (uint KeyEpoch, ulong Counter) place, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(sender);
        return Write(message, sender, fromAgent: true, sessionId, place, destination);
    }

    /// <summary>Writes a message of the gateway.</summary>
    public static int Write(
        ControlMessage message, GatewayIdentity sender, ReadOnlySpan<byte> sessionId, (uint KeyEpoch, ulong Counter) place, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(sender);
        return Write(message, sender.Key, fromAgent: false, sessionId, place, destination);
    }

    internal static int Write(
        ControlMessage message, SigningKey sender, bool fromAgent, ReadOnlySpan<byte> sessionId, (uint KeyEpoch, ulong Counter) place, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (!MessageId.IsValid(message.Id) || message.Module.Length > Limits.MaxModuleNameBytes || message.Payload.Length > MaxPayloadBytes)
        {
            throw new ArgumentException("a message has an id of 1 to 64 of [A-Za-z0-9._-], a module of at most 32 bytes, and fits into a frame", nameof(message));
        }

        var writer = new WireWriter(destination);
        writer.U8((byte)message.Type);
        writer.U8(message.Channel);
        writer.Str8(Encoding.ASCII.GetBytes(message.Id));
        writer.Str8(Encoding.ASCII.GetBytes(message.Module));
        writer.U64(message.Timestamp);
        writer.U32((uint)message.Payload.Length);
        writer.Bytes(message.Payload.Span);
        Span<byte> signed = stackalloc byte[SignedBytes];
        WriteSigned(destination[..writer.Position], fromAgent, sessionId, place.KeyEpoch, place.Counter, signed);
        sender.Sign(SigningInput.ControlMessage, signed, writer.Reserve(SigningKey.SignatureSize));
        return writer.Position;
    }

    /// <summary>
    /// Reads and judges an opened message frame: form, then the table of channels, then the signature, the cheap before the dear. Whatever the result, <paramref
    /// name="message"/> is what could be read, for the answer.
    /// </summary>
    /// <param name="header">Of the frame; its type gives the direction.</param>
    /// <param name="senderKey">The agent's key, or the one of the gateway's certificate.</param>
    public static WireError TryRead(
        ReadOnlySpan<byte> payload, in FrameHeader header, ReadOnlySpan<byte> sessionId, ReadOnlySpan<byte> senderKey, out ControlMessage? message)
    {
        message = Parse(payload);
        if (message is null)
        {
            return WireError.Malformed;
        }

        var fromAgent = FrameHeader.IsFromAgent(header.Type);
        var error = Channels.CheckMessage(Channels.Find(message.Channel), fromAgent ? ChannelDirection.AgentToGateway : ChannelDirection.GatewayToAgent,
            message.Module, message.Type);
        if (error != WireError.None)
        {
            return error;
        }

        Span<byte> signed = stackalloc byte[SignedBytes];
        WriteSigned(payload[..^SigningKey.SignatureSize], fromAgent, sessionId, header.KeyEpoch, header.Counter, signed);
        return Signature.Verify(senderKey, SigningInput.ControlMessage, signed, payload[^SigningKey.SignatureSize..]) ? WireError.None : WireError.BadSignature;
    }

    private static ControlMessage? Parse(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var type = (MessageType)reader.U8();
        var channel = reader.U8();
        var id = reader.Str8(Limits.MaxMessageIdBytes);
        var module = reader.Str8(Limits.MaxModuleNameBytes);
        var timestamp = reader.U64();
        var length = reader.U32();
        if (reader.Failed || length != reader.Remaining - SigningKey.SignatureSize || !MessageId.IsValid(id)
            || !WireText.IsClean(module) || !Ascii.IsValid(module) || type is < MessageType.Request or > MessageType.Event)
        {
            return null;
        }

        return new ControlMessage(type, channel, Encoding.ASCII.GetString(id), Encoding.ASCII.GetString(module), timestamp, reader.Bytes((int)length).ToArray());
    }

    private static void WriteSigned(
        ReadOnlySpan<byte> message, bool fromAgent, ReadOnlySpan<byte> sessionId, uint keyEpoch, ulong counter, Span<byte> signed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sessionId.Length, KeySchedule.SessionIdSize);
        sessionId.CopyTo(signed);
        signed = signed[KeySchedule.SessionIdSize..];
        signed[0] = fromAgent ? (byte)0 : (byte)1;
        BinaryPrimitives.WriteUInt32BigEndian(signed[1..], keyEpoch);
        BinaryPrimitives.WriteUInt64BigEndian(signed[5..], counter);
        Sha256.Hash(message, signed[13..]);
    }
}
