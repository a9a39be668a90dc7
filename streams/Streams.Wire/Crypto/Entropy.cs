using Streams.Wire.Interop;

namespace Streams.Wire.Crypto;

/// <summary>Random bytes, erasing and constant-time comparison.</summary>
public static unsafe class Entropy
{
    public static void Fill(Span<byte> buffer)
    {
        fixed (byte* b = buffer)
        {
            Sodium.randombytes_buf(b, (nuint)buffer.Length);
        }
    }

    internal static void Erase(Span<byte> secret)
    {
        fixed (byte* b = secret)
        {
            Sodium.sodium_memzero(b, (nuint)secret.Length);
        }
    }

    internal static bool Equal(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        fixed (byte* l = left, r = right)
        {
            return Sodium.sodium_memcmp(l, r, (nuint)left.Length) == 0;
        }
    }
}
