using System.Buffers.Binary;

namespace Streams.Schema;

/// <summary>
/// c_n = SHA-256(c_{n-1} ‖ n u32 ‖ d_n) over the batch digests of a lane, c_{-1} being 32 zero bytes, and what the agent signs of it.
/// </summary>
public static class DigestChain
{
    public const int Size = ISha256.Size;

    /// <summary>Bytes of <see cref="WriteCheckpoint"/>.</summary>
    public const int CheckpointSize = 8 + 4 + 4 + 4 + (3 * Size);

    /// <summary>Batches of a lane after which the chain is signed.</summary>
    public const int BatchesPerCheckpoint = 64;

    /// <summary>Replaces c_{n-1} in <paramref name="chain"/> by c_n.</summary>
    public static void Step(Span<byte> chain, uint n, ReadOnlySpan<byte> digest, ISha256 hash)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(number, n);
        hash.Append(chain[..Size]);
        hash.Append(number);
        hash.Append(digest[..Size]);
        hash.Finish(chain);
    }

    /// <summary>
    /// What is signed under "batch proof", integers little-endian: epoch u64 ‖ lane u32 ‖ from u32 ‖ n u32 ‖ chain before from ‖ c_n ‖
    /// SHA-256 of the digests from..n. Epoch, lane and both numbers are inside, so that a proof proves no other batches.
    /// </summary>
    /// <returns><see cref="CheckpointSize"/>.</returns>
    public static int WriteCheckpoint(
        Span<byte> destination, ulong epoch, uint lane, uint from, uint n, ReadOnlySpan<byte> before, ReadOnlySpan<byte> chain, ReadOnlySpan<byte> digests)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, epoch);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], lane);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], from);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], n);
        before[..Size].CopyTo(destination[20..]);
        chain[..Size].CopyTo(destination[(20 + Size)..]);
        digests[..Size].CopyTo(destination[(20 + (2 * Size))..]);
        return CheckpointSize;
    }
}
