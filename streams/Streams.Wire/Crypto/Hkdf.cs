using Streams.Wire.Interop;

namespace Streams.Wire.Crypto;

/// <summary>HKDF-SHA-256 (RFC 5869).</summary>
internal static unsafe class Hkdf
{
    internal const int PrkSize = 32;

    internal static void Extract(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> ikm, Span<byte> prk)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(prk.Length, PrkSize);
        fixed (byte* s = salt, i = ikm, p = prk)
        {
            Sodium.crypto_kdf_hkdf_sha256_extract(p, s, (nuint)salt.Length, i, (nuint)ikm.Length);
        }
    }

    internal static void Expand(ReadOnlySpan<byte> prk, ReadOnlySpan<byte> info, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(prk.Length, PrkSize);
        fixed (byte* p = prk, i = info, o = output)
        {
            if (Sodium.crypto_kdf_hkdf_sha256_expand(o, (nuint)output.Length, i, (nuint)info.Length, p) != 0)
            {
                throw new ArgumentOutOfRangeException(nameof(output), "HKDF output is at most 255 blocks");
            }
        }
    }
}
