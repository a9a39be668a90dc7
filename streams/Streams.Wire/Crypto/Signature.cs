using Streams.Wire.Interop;

namespace Streams.Wire.Crypto;

/// <summary>Ed25519 verification. libsodium refuses keys of small order, non-canonical encodings and S ≥ L.</summary>
internal static unsafe class Signature
{
    /// <summary>A valid point (RFC 8032 section 7.1, test 1), verified against where there is no real key, so that timing tells
    /// nothing.</summary>
    private static ReadOnlySpan<byte> DummyKey =>
    [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
        0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ];

    internal static bool VerifyRaw(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != SigningKey.PublicKeySize || signature.Length != SigningKey.SignatureSize)
        {
            return false;
        }

        fixed (byte* p = publicKey, m = message, s = signature)
        {
            return Sodium.crypto_sign_verify_detached(s, m, (ulong)message.Length, p) == 0;
        }
    }

    internal static bool Verify(ReadOnlySpan<byte> publicKey, string context, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        Span<byte> input = stackalloc byte[SigningInput.Length(context, data.Length)];
        return VerifyRaw(publicKey, input[..SigningInput.Write(context, data, input)], signature);
    }

    /// <summary>Costs what a verification costs and always fails.</summary>
    internal static void VerifyDummy(string context, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        _ = Verify(DummyKey, context, data, signature);
}
