using System.Buffers.Binary;

namespace Streams.Wire.Frames;

/// <summary>
/// The 20 bytes before every ciphertext, big-endian, and the AEAD's associated data:
/// <c>version u8 ‖ type u8 ‖ flags u8 ‖ lane_class u8 ‖ key_epoch u32 ‖ counter u64 ‖ length u32</c> (length of the ciphertext without
/// tag).
/// </summary>
public readonly record struct FrameHeader(FrameType Type, byte Flags, LaneClass LaneClass, uint KeyEpoch, ulong Counter, int Length)
{
    public const int Size = 20;
    public const int TagSize = 16;

    /// <summary>Bytes that a frame has beyond its plaintext.</summary>
    public const int Overhead = Size + TagSize;

    internal void Write(Span<byte> destination)
    {
        destination[0] = Protocol.Version;
        destination[1] = (byte)Type;
        destination[2] = Flags;
        destination[3] = (byte)LaneClass;
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], KeyEpoch);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Counter);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], (uint)Length);
    }

    /// <summary>
    /// Reads and bounds a header without opening anything, e.g. to account credit or rent a buffer before the rest of the frame has
    /// arrived.
    /// </summary>
    public static FrameError TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = default;
        if (source.Length < Size)
        {
            return FrameError.BadLength;
        }

        if (source[0] != Protocol.Version)
        {
            return FrameError.UnknownVersion;
        }

        if (source[2] != 0 || source[3] >= Limits.LaneClasses)
        {
            return FrameError.BadFlags;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(source[16..]);
        var type = (FrameType)source[1];
        if (!IsKnown(type))
        {
            return FrameError.UnexpectedType;
        }

        if (length > (type == FrameType.Data ? Limits.MaxPlaintextBytes : Limits.MaxControlFrameBytes - Overhead))
        {
            return FrameError.BadLength;
        }

        header = new FrameHeader(type, source[2], (LaneClass)source[3],
            BinaryPrimitives.ReadUInt32BigEndian(source[4..]), BinaryPrimitives.ReadUInt64BigEndian(source[8..]), (int)length);
        return FrameError.None;
    }

    /// <summary>True for types that an agent sends.</summary>
    public static bool IsFromAgent(FrameType type) => (byte)type < 64;

    private static bool IsKnown(FrameType type) => type is >= FrameType.Ready and <= FrameType.Error or >= FrameType.Session and <= FrameType.GatewayError;
}
