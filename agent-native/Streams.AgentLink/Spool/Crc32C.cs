using System.Buffers.Binary;
using System.Numerics;

namespace Streams.AgentLink.Spool;

/// <summary>CRC-32C (Castagnoli): one instruction per 8 bytes on every x86-64 that .NET supports, and no package.</summary>
internal static class Crc32C
{
    internal static uint Compute(ReadOnlySpan<byte> bytes, uint seed = 0)
    {
        var crc = ~seed;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
