using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Keys;

namespace Streams.Wire.Json;

/// <summary>
/// What the AEAD and the signature of a JSON message are over. The text is never signed:
/// <c>AAD = str16(id) ‖ str16(type) ‖ str16(channel) ‖ timestamp u64 ‖ str16(agent_id) ‖ str16(module_id) ‖ H(session_token) ‖ direction u8</c>;
/// <c>signature = sign(sender's key, "json message", session_id ‖ direction u8 ‖ nonce 12 ‖ H(AAD) ‖ H(plaintext))</c>, plaintext = 16 random bytes ‖ content.
/// </summary>
internal static class EnvelopeSeal
{
    internal const int SaltSize = 16;
    internal const int SignedSize = KeySchedule.SessionIdSize + 1 + FrameNonce.Size + Sha256.Size + Sha256.Size;

    internal const int MaxAadSize = (5 * 2) + Limits.MaxMessageIdBytes + 8 + Limits.MaxChannelNameBytes + 8 + Limits.MaxNameBytes + Limits.MaxModuleNameBytes
        + Sha256.Size + 1;

    internal static int WriteAad(ReadOnlySpan<byte> id, ReadOnlySpan<byte> type, ReadOnlySpan<byte> channel, ulong timestamp, ReadOnlySpan<byte> agentId,
        ReadOnlySpan<byte> module, ReadOnlySpan<byte> token, bool fromAgent, Span<byte> aad)
    {
        var writer = new Messages.WireWriter(aad);
        writer.Str16(id);
        writer.Str16(type);
        writer.Str16(channel);
        writer.U64(timestamp);
        writer.Str16(agentId);
        writer.Str16(module);
        Sha256.Hash(token, writer.Reserve(Sha256.Size));
        writer.U8(Direction(fromAgent));
        return writer.Position;
    }

    internal static void WriteSigned(
        ReadOnlySpan<byte> sessionId, bool fromAgent, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> plaintext, Span<byte> signed)
    {
        sessionId.CopyTo(signed);
        signed = signed[KeySchedule.SessionIdSize..];
        signed[0] = Direction(fromAgent);
        nonce.CopyTo(signed[1..]);
        Sha256.Hash(aad, signed[(1 + FrameNonce.Size)..]);
        Sha256.Hash(plaintext, signed[(1 + FrameNonce.Size + Sha256.Size)..]);
    }

    private static byte Direction(bool fromAgent) => fromAgent ? (byte)0 : (byte)1;
}
