using System.Text;

namespace NATS.NKeys.Tests;

public sealed class KeyPairTests
{
    // Published vectors: the README of nkeys.net, and the NKey example of the NATS documentation.
    [Theory]
    [InlineData("SOAELH6NJCEK4HST5644G4HK7TOAFZGRRJHNM4EUKUY7PPNDLIKO5IH4JM", "ODPWIBQJVIQ42462QAFI2RKJC4RZHCQSIVPRDDHWFCJAP52NRZK6Z2YC")]
    [InlineData("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY", "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4")]
    [InlineData("SUAOBFVHF4ZWKTBJ6QP4C362WLBBBFIE7ENFTPYKUGZ3M2ESOXY353LXDI", "UBIWK4X3RXCPJ4CMIAVLAFDFABMLCCMZDDLAO5OZZ2265MDLXUTOGO4B")]
    public void Published_seed_gives_published_public_key(string seed, string publicKey)
    {
        using var pair = KeyPair.FromSeed(seed);
        Assert.Equal(publicKey, pair.GetPublicKey());
        Assert.Equal(seed, pair.GetSeed());
        using var verifier = KeyPair.FromPublicKey(publicKey);
        Assert.Equal(publicKey, verifier.GetPublicKey());

        var message = Encoding.UTF8.GetBytes("nonce");
        var signature = new byte[64];
        pair.Sign(message, signature);
        Assert.True(verifier.Verify(message, signature));
        signature[5] ^= 1;
        Assert.False(verifier.Verify(message, signature));
    }

    [Fact]
    public void Signature_is_that_of_rfc_8032()
    {
        // RFC 8032 section 7.1, test 2, its key put into nkey form.
        var seed = NKeyText.EncodeSeed(PrefixByte.User, Convert.FromHexString("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
        using var pair = KeyPair.FromSeed(seed);
        var signature = new byte[64];
        pair.Sign(new byte[] { 0x72 }, signature);
        Assert.Equal("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            Convert.ToHexStringLower(signature));
    }

    [Theory]
    [InlineData(PrefixByte.Account, 'A')]
    [InlineData(PrefixByte.Cluster, 'C')]
    [InlineData(PrefixByte.Server, 'N')]
    [InlineData(PrefixByte.Operator, 'O')]
    [InlineData(PrefixByte.User, 'U')]
    public void New_pair_round_trips_and_shows_its_kind(PrefixByte prefix, char letter)
    {
        using var pair = KeyPair.CreatePair(prefix);
        Assert.Equal(letter, pair.GetPublicKey()[0]);
        Assert.Equal(56, pair.GetPublicKey().Length);
        Assert.StartsWith("S" + letter, pair.GetSeed(), StringComparison.Ordinal);
        using var again = KeyPair.FromSeed(pair.GetSeed());
        Assert.Equal(pair.GetPublicKey(), again.GetPublicKey());
        using var other = KeyPair.CreatePair(prefix);
        Assert.NotEqual(pair.GetPublicKey(), other.GetPublicKey());
    }

    [Theory]
    [InlineData(PrefixByte.Seed)]
    [InlineData(PrefixByte.Private)]
    [InlineData(PrefixByte.Curve)]
    [InlineData((PrefixByte)1)]
    public void Kinds_without_a_pair_are_refused(PrefixByte prefix) => Assert.Throws<NKeysException>(() => KeyPair.CreatePair(prefix));

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3V")]
    [InlineData("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VYA")]
    [InlineData("suacssl3uahudxkfsnvuzrf5uhpmwz6bfdtj7m6usdxiednppqyyycu3vy")]
    [InlineData("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VZ")]
    [InlineData("SUBCSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY")]
    [InlineData("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3!Y")]
    [InlineData("UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4AA")]
    public void Hostile_seeds_are_refused(string text)
    {
        var error = Assert.Throws<NKeysException>(() => KeyPair.FromSeed(text));
        if (text.Length > 8)
            Assert.DoesNotContain(text[4..], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_single_character_change_of_a_seed_is_refused()
    {
        const string seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
        for (var at = 0; at < seed.Length; at++)
        {
            var changed = seed.ToCharArray();
            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            Assert.Throws<NKeysException>(() => KeyPair.FromSeed(changed));
        }
    }

    [Fact]
    public void A_seed_is_no_public_key() =>
        Assert.Throws<NKeysException>(() => KeyPair.FromPublicKey("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3"));

    [Fact]
    public void Wiped_pair_keeps_its_public_key_and_signs_no_more()
    {
        using var pair = KeyPair.CreatePair(PrefixByte.User);
        var publicKey = pair.GetPublicKey();
        pair.Wipe();
        Assert.Equal(publicKey, pair.GetPublicKey());
        Assert.Throws<NKeysException>(() => pair.Sign(new byte[1], new byte[64]));
        Assert.Throws<NKeysException>(pair.GetSeed);
    }

    [Fact]
    public void Public_pair_and_short_destination_cannot_sign()
    {
        using var pair = KeyPair.CreatePair(PrefixByte.User);
        using var verifier = KeyPair.FromPublicKey(pair.GetPublicKey());
        Assert.Throws<NKeysException>(() => verifier.Sign(new byte[1], new byte[64]));
        Assert.Throws<NKeysException>(() => pair.Sign(new byte[1], new byte[63]));
    }
}
