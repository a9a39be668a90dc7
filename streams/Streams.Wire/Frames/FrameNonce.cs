using System.Buffers.Binary;
using Streams.Wire.Keys;

namespace Streams.Wire.Frames;

/// <summary>nonce = iv XOR (0^4 ‖ counter): unique per key because counters never repeat inside a key_epoch.</summary>
internal static class FrameNonce
{
    internal const int Size = KeySchedule.IvSize;

    internal static void Write(ReadOnlySpan<byte> iv, ulong counter, Span<byte> nonce)
    {
        iv.CopyTo(nonce);
        var tail = nonce[4..Size];
        BinaryPrimitives.WriteUInt64BigEndian(tail, BinaryPrimitives.ReadUInt64BigEndian(tail) ^ counter);
    }
}
