using Streams.Wire.Crypto;

namespace Streams.Wire.Handshake;

/// <summary>The running hash h0..h3: h0 = H("streams/1 transcript" ‖ 0x00 ‖ prologue), h(i+1) = H(h(i) ‖ message).</summary>
internal sealed class Transcript
{
    private readonly byte[] _hash = new byte[Sha256.Size];

    internal Transcript(ReadOnlySpan<byte> prologue) => Sha256.Hash("streams/1 transcript\0"u8, prologue, _hash);

    internal ReadOnlySpan<byte> Hash => _hash;

    internal void Add(ReadOnlySpan<byte> message)
    {
        Span<byte> next = stackalloc byte[Sha256.Size];
        Sha256.Hash(_hash, message, next);
        next.CopyTo(_hash);
    }

    /// <summary>H(current ‖ part) without moving on: what a signature inside the next message covers.</summary>
    internal void Peek(ReadOnlySpan<byte> part, Span<byte> digest) => Sha256.Hash(_hash, part, digest);
}
