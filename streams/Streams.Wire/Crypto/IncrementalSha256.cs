using Streams.Wire.Interop;

namespace Streams.Wire.Crypto;

/// <summary>SHA-256 over data that comes in parts. Reusable, not thread-safe; allocates nothing after it was made.</summary>
public sealed unsafe class IncrementalSha256
{
    // Words, so that the state is aligned as libsodium's struct is.
    private readonly ulong[] _state = new ulong[Sodium.Sha256StateBytes / sizeof(ulong)];

    public IncrementalSha256() => Begin();

    public void Append(ReadOnlySpan<byte> data)
    {
        fixed (ulong* s = _state)
        fixed (byte* d = data)
        {
            Sodium.crypto_hash_sha256_update((byte*)s, d, (ulong)data.Length);
        }
    }

    /// <summary>Writes the digest of what was appended since the last call, and begins anew.</summary>
    public void Finish(Span<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(digest.Length, Sha256.Size);
        fixed (ulong* s = _state)
        fixed (byte* d = digest)
        {
            Sodium.crypto_hash_sha256_final((byte*)s, d);
        }

        Begin();
    }

    private void Begin()
    {
        fixed (ulong* s = _state)
        {
            Sodium.crypto_hash_sha256_init((byte*)s);
        }
    }
}
