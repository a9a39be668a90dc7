using System.Numerics;
using System.Security.Cryptography;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;
using Streams.Wire.Tests.Handshake;

namespace Streams.Wire.Tests.Crypto;

/// <summary>
/// Makes tests/vectors/refused-v1.json: points, keys and signatures that everybody must refuse, and that we do. Libraries differ on them, so each signature is one that
/// a verifier without the check takes.
/// </summary>
internal static class RefusedVectors
{
    private static readonly BigInteger Order = (BigInteger.One << 252) + BigInteger.Parse("27742317777372353535851937790883648493", null);

    /// <summary>R = identity and S = 0: the equation S·B = R + k·A holds when the order of A divides k.</summary>
    private static readonly byte[] Nothing = [1, .. new byte[63]];

    private static readonly (string Name, string Point)[] Points =
    [
        ("zero", "0000000000000000000000000000000000000000000000000000000000000000"),
        ("one", "0100000000000000000000000000000000000000000000000000000000000000"),
        ("order_8_a", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        ("order_8_b", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        ("minus_one", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("zero_not_canonical", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("one_not_canonical", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ];

    /// <summary>With the sign of x set and not. Of an x of zero there is no other sign, so that is no canonical encoding.</summary>
    private static readonly (string Name, string Key)[] SmallKeys =
    [
        ("1", "0100000000000000000000000000000000000000000000000000000000000000"),
        ("1_sign_not_canonical", "0100000000000000000000000000000000000000000000000000000000000080"),
        ("2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("2_sign_not_canonical", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        ("4", "0000000000000000000000000000000000000000000000000000000000000000"),
        ("4_sign", "0000000000000000000000000000000000000000000000000000000000000080"),
        ("8_a", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        ("8_a_sign", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
        ("8_b", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        ("8_b_sign", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
        ("4_not_canonical", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("4_sign_not_canonical", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        ("1_y_not_canonical", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("1_both_not_canonical", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ];

    internal static Dictionary<string, string> Make()
    {
        var values = new Dictionary<string, string>();
        void Add(string name, byte[] value) => values.Add(name, Convert.ToHexStringLower(value));

        foreach (var (name, hex) in Points)
        {
            var point = Convert.FromHexString(hex);
            Add("x25519_" + name, Refused(point));
            // A receiver passes over the highest bit.
            Add($"x25519_{name}_high", Refused([.. point[..31], (byte)(point[31] | 0x80)]));
        }

        foreach (var (name, hex) in SmallKeys)
        {
            var key = Convert.FromHexString(hex);
            var message = FirstMessage(key);
            Assert.False(Signature.VerifyRaw(key, message, Nothing), name);
            Add("ed25519_key_order_" + name, key);
            Add($"ed25519_key_order_{name}_message", message);
            Add($"ed25519_key_order_{name}_signature", Nothing);
        }

        using var agent = SigningKey.FromSeed(Pair.Fill(0x30));
        var above = new byte[64];
        agent.SignRaw("refused"u8, above);
        Number(new BigInteger(above.AsSpan(32), isUnsigned: true) + Order).CopyTo(above, 32);
        Assert.False(Signature.VerifyRaw(agent.PublicKey, "refused"u8, above));
        Add("ed25519_signature_s_above_order", above);
        var lax = SignWithNoSecret(Pair.Fill(0x30), agent.PublicKey.ToArray());
        Assert.False(Signature.VerifyRaw(agent.PublicKey, "refused"u8, lax));
        Add("ed25519_signature_r_not_canonical", lax);
        return values;
    }

    private static byte[] Refused(byte[] point)
    {
        using var arena = new KeyArena(4);
        using var key = EphemeralKey.TryFromSecret(arena, Pair.Fill(0x40))!;
        Assert.False(key.TryAgree(point, new byte[32]));
        return point;
    }

    /// <summary>The first number of 4 bytes whose challenge every small order divides.</summary>
    private static byte[] FirstMessage(byte[] key)
    {
        var message = new byte[4];
        for (uint n = 0; ; n++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(message, n);
            if (Challenge(Nothing[..32], key, message) % 8 == 0)
            {
                return message;
            }
        }
    }

    /// <summary>R = identity, written as p + 1, and S = k·a.</summary>
    private static byte[] SignWithNoSecret(byte[] seed, byte[] publicKey)
    {
        byte[] r = [0xee, .. Enumerable.Repeat((byte)0xff, 30), 0x7f];
        var a = SHA512.HashData(seed)[..32];
        a[0] &= 248;
        a[31] = (byte)((a[31] & 63) | 64);
        return [.. r, .. Number(Challenge(r, publicKey, "refused"u8.ToArray()) * new BigInteger(a, isUnsigned: true) % Order)];
    }

    private static BigInteger Challenge(byte[] r, byte[] key, byte[] message) =>
        new BigInteger(SHA512.HashData([.. r, .. key, .. message]), isUnsigned: true) % Order;

    private static byte[] Number(BigInteger value)
    {
        var bytes = value.ToByteArray(isUnsigned: true);
        return [.. bytes, .. new byte[32 - bytes.Length]];
    }
}
