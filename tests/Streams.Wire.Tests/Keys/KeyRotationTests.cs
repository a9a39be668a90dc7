using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Wire.Tests.Keys;

public sealed class KeyRotationTests
{
    [Fact]
    public void Both_keys_have_to_sign()
    {
        using var old = SigningKey.Generate();
        using var next = SigningKey.Generate();
        using var stranger = SigningKey.Generate();
        var byOld = Signed(old, "web-1", old, next);
        var byNext = Signed(next, "web-1", old, next);
        Assert.True(KeyRotation.Verify("web-1", old.PublicKey, next.PublicKey, byOld, byNext));
        Assert.False(KeyRotation.Verify("web-2", old.PublicKey, next.PublicKey, byOld, byNext));
        Assert.False(KeyRotation.Verify("web-1", old.PublicKey, next.PublicKey, byNext, byNext));
        Assert.False(KeyRotation.Verify("web-1", old.PublicKey, next.PublicKey, byOld, byOld));
        Assert.False(KeyRotation.Verify("web-1", old.PublicKey, next.PublicKey, byOld, Signed(stranger, "web-1", old, next)));
        Assert.False(KeyRotation.Verify("web-1", stranger.PublicKey, next.PublicKey, byOld, byNext));
    }

    [Fact]
    public void A_key_is_not_changed_to_itself()
    {
        using var key = SigningKey.Generate();
        var signature = Signed(key, "web-1", key, key);
        Assert.False(KeyRotation.Verify("web-1", key.PublicKey, key.PublicKey, signature, signature));
    }

    // RFC 8032 points of order 1, 2 and 8, the same not reduced (y = p + 1), and bytes that are no point.
    [Theory]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("0200000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("01")]
    public void Bytes_that_prove_nothing_are_no_public_key(string hex) => Assert.False(SigningKey.IsPublicKey(Convert.FromHexString(hex)));

    [Fact]
    public void A_made_key_is_one()
    {
        using var key = SigningKey.Generate();
        Assert.True(SigningKey.IsPublicKey(key.PublicKey));
    }

    private static byte[] Signed(SigningKey by, string agent, SigningKey old, SigningKey next)
    {
        var signature = new byte[SigningKey.SignatureSize];
        KeyRotation.Sign(by, agent, old.PublicKey, next.PublicKey, signature);
        return signature;
    }
}
