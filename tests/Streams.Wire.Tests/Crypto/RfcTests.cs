using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Interop;
using Streams.Wire.Keys;

namespace Streams.Wire.Tests.Crypto;

/// <summary>The published vectors of every primitive, through our own bindings.</summary>
public sealed class RfcTests
{
    /// <summary>RFC 8439 section 2.8.2.</summary>
    [Fact]
    public unsafe void ChaCha20Poly1305()
    {
        var text = Encoding.ASCII.GetBytes(
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.");
        var aad = Hex("50515253c0c1c2c3c4c5c6c7");
        var key = Hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
        var nonce = Hex("070000004041424344454647");
        var expected = Hex(
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
            "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116");
        var tag = new byte[16];
        var buffer = text.ToArray();
        fixed (byte* b = buffer, t = tag, a = aad, k = key, n = nonce)
        {
            Sodium.crypto_aead_chacha20poly1305_ietf_encrypt_detached(b, t, null, b, (ulong)text.Length, a, (ulong)aad.Length, null, n, k);
            Assert.Equal(expected, buffer);
            Assert.Equal(Hex("1ae10b594f09e26a7e902ecbd0600691"), tag);
            Assert.Equal(0, Sodium.crypto_aead_chacha20poly1305_ietf_decrypt_detached(b, null, b, (ulong)text.Length, t, a, (ulong)aad.Length, n, k));
            Assert.Equal(text, buffer);
        }
    }

    /// <summary>RFC 8032 section 7.1, tests 1 to 3.</summary>
    [Theory]
    [InlineData("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    [InlineData("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    public void Ed25519(string seed, string publicKey, string message, string signature)
    {
        using var key = SigningKey.FromSeed(Hex(seed));
        Assert.Equal(Hex(publicKey), key.PublicKey.ToArray());
        var made = new byte[64];
        key.SignRaw(Hex(message), made);
        Assert.Equal(Hex(signature), made);
        Assert.True(Signature.VerifyRaw(Hex(publicKey), Hex(message), made));
        made[63] ^= 0x20;
        Assert.False(Signature.VerifyRaw(Hex(publicKey), Hex(message), made));
    }

    /// <summary>Keys of small order and non-canonical encodings, and S ≥ L (RFC 8032 section 5.1.7): libraries differ, we refuse.</summary>
    [Theory]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]
    [InlineData("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void SmallOrderAndNonCanonicalKeysNeverVerify(string publicKey)
    {
        // With A of small order and R = A or identity, S = 0 satisfies the bare equation for some messages: try many.
        for (var i = 0; i < 64; i++)
        {
            var signature = new byte[64];
            signature[0] = 1;
            Assert.False(Signature.VerifyRaw(Hex(publicKey), [(byte)i], signature));
            Hex(publicKey).CopyTo(signature, 0);
            Assert.False(Signature.VerifyRaw(Hex(publicKey), [(byte)i], signature));
        }
    }

    [Fact]
    public void ASignatureWithSAboveTheOrderIsRefused()
    {
        using var key = SigningKey.FromSeed(Hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
        var signature = new byte[64];
        key.SignRaw([], signature);
        var order = new System.Numerics.BigInteger(Hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"), isUnsigned: true);
        var s = new System.Numerics.BigInteger(signature.AsSpan(32), isUnsigned: true) + order;
        s.ToByteArray(isUnsigned: true).CopyTo(signature, 32);
        Assert.False(Signature.VerifyRaw(key.PublicKey, [], signature));
    }

    /// <summary>RFC 7748 section 6.1.</summary>
    [Fact]
    public void X25519()
    {
        using var arena = new KeyArena(4);
        using var alice = EphemeralKey.TryFromSecret(arena, Hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))!;
        using var bob = EphemeralKey.TryFromSecret(arena, Hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))!;
        Assert.Equal(Hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), alice.PublicKey.ToArray());
        Assert.Equal(Hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), bob.PublicKey.ToArray());
        var shared = new byte[32];
        Assert.True(alice.TryAgree(bob.PublicKey, shared));
        Assert.Equal(Hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"), shared);
        Assert.True(bob.TryAgree(alice.PublicKey, shared));
        Assert.Equal(Hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"), shared);
    }

    /// <summary>Every point of small order (RFC 7748 section 6.1 asks for the check; the list is that of Bernstein and of
    /// libsodium).</summary>
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void PointsOfSmallOrderAreRefusedAndTheSecretIsErased(string point)
    {
        using var arena = new KeyArena(4);
        using var key = EphemeralKey.TryGenerate(arena)!;
        Assert.False(key.TryAgree(Hex(point), new byte[32]));
        Assert.Equal(0, arena.Rented);
        Assert.Throws<ObjectDisposedException>(() => key.TryAgree(Hex(point), new byte[32]));
    }

    /// <summary>RFC 5869 appendix A.1 and A.3.</summary>
    [Theory]
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")]
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")]
    public void HkdfSha256(string ikm, string salt, string info, string prk, string okm)
    {
        var extracted = new byte[32];
        Hkdf.Extract(Hex(salt), Hex(ikm), extracted);
        Assert.Equal(Hex(prk), extracted);
        var expanded = new byte[42];
        Hkdf.Expand(extracted, Hex(info), expanded);
        Assert.Equal(Hex(okm), expanded);
    }

    /// <summary>FIPS 180-4 examples, also over a split input.</summary>
    [Fact]
    public void Sha256Vectors()
    {
        var digest = new byte[32];
        Sha256.Hash("abc"u8, digest);
        Assert.Equal(Hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), digest);
        Sha256.Hash("abcdbcdecdefdefgefghfghighij"u8, "hijkijkljklmklmnlmnomnopnopq"u8, digest);
        Assert.Equal(Hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"), digest);
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);
}
