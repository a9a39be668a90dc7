using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using NSec.Cryptography;
using Streams.Wire.Tests.Crypto;
using Streams.Wire.Tests.Json;

namespace Streams.Wire.Tests.Handshake;

/// <summary>
/// The published vectors: made by our code, and recomputed here from the inputs alone with NSec and .NET's own primitives, after the text
/// of
/// PROTOCOL.md. Nothing in <see cref="EveryIntermediateValueFollowsFromTheInputs"/> calls Streams.Wire.
/// </summary>
public sealed class VectorTests
{
    [Fact]
    public void OurCodeStillMakesThePublishedVectors() =>
        VectorFolder.AssertPublished("handshake-v1.json", VectorFile.Format(VectorFile.Make()));

    [Fact]
    public void OurCodeStillMakesThePublishedEnrolment() =>
        VectorFolder.AssertPublished("enrol-v1.json", VectorFile.Format(IdentityVectors.MakeEnrolment()));

    [Fact]
    public void OurCodeStillMakesThePublishedJsonMessages() =>
        VectorFolder.AssertPublished("json-v1.json", VectorFile.Format(JsonVectors.Make()));

    [Fact]
    public void OurCodeStillRefusesWhatIsPublishedAsRefused() =>
        VectorFolder.AssertPublished("refused-v1.json", VectorFile.Format(RefusedVectors.Make()));

    [Fact]
    public void OurCodeStillMakesThePublishedStatements() =>
        VectorFolder.AssertPublished("identity-v1.json", VectorFile.Format(IdentityVectors.MakeStatements()));

    [Fact]
    public void EveryIntermediateValueFollowsFromTheInputs()
    {
        var v = VectorFile.Read();
        byte[] prologue = [.. Str8("streams/1"u8.ToArray()), .. Str16(v["offered_subprotocols"]), .. Str8(v["selected_subprotocol"]), .. Str16(v["request_path"])];
        Assert.Equal(v["prologue"], prologue);
        var h0 = SHA256.HashData([.. "streams/1 transcript\0"u8, .. prologue]);
        Assert.Equal(v["h0"], h0);

        CheckCertificate(v);
        byte[] m1 =
        [
            1, 1, 1, 1, 1, .. v["gateway_certificate"], .. v["gateway_ephemeral_public"], .. v["gateway_nonce"], .. v["m1"][^8..],
        ];
        Assert.Equal(v["m1"], m1);
        var h1 = SHA256.HashData([.. h0, .. m1]);
        Assert.Equal(v["h1"], h1);

        var m2 = v["m2"];
        byte[] m2Head = [2, 1, 1, 1, .. Str8("agent-001"u8.ToArray()), .. v["agent_pk"], .. v["agent_ephemeral_public"], .. v["agent_nonce"]];
        Assert.Equal(m2Head, m2[..m2Head.Length]);
        Assert.Equal(m2Head.Length + 8 + 16 + 16 + 8 + 32 + 64, m2.Length);
        AssertSigned(v["agent_pk"], "agent auth", SHA256.HashData([.. h1, .. m2[..^64]]), m2[^64..]);
        var h2 = SHA256.HashData([.. h1, .. m2]);
        Assert.Equal(v["h2"], h2);

        var m3 = v["m3"];
        Assert.Equal(65, m3.Length);
        Assert.Equal(3, m3[0]);
        AssertSigned(v["gateway_pk"], "gateway auth", SHA256.HashData([.. h2, 3]), m3[1..]);
        var h3 = SHA256.HashData([.. h2, .. m3]);
        Assert.Equal(v["h3"], h3);

        Assert.Equal(v["z"], Agree(v["gateway_ephemeral_secret"], v["agent_ephemeral_public"]));
        Assert.Equal(v["z"], Agree(v["agent_ephemeral_secret"], v["gateway_ephemeral_public"]));
        var prk = HKDF.Extract(HashAlgorithmName.SHA256, v["z"], h3);
        Assert.Equal(v["prk"], prk);
        Assert.Equal(v["session_id"], Expand(prk, [.. "streams/1 session id"u8, .. h3], 16));
        Assert.Equal(v["exporter"], Expand(prk, [.. "streams/1 exporter"u8, .. h3], 32));
        var a2g = CheckDirection(v, "a2g", Expand(prk, [.. "streams/1 a2g"u8, .. h3], 32));
        var g2a = CheckDirection(v, "g2a", Expand(prk, [.. "streams/1 g2a"u8, .. h3], 32));

        CheckFrame(v, "f0_session", g2a[0], 64, 0, 0, 0);
        CheckFrame(v, "f0_ready", a2g[0], 1, 0, 0, 0);
        CheckFrame(v, "f1_credit", g2a[0], 65, 0, 0, 1);
        CheckFrame(v, "f1_data", a2g[0], 2, 3, 0, 1);
        CheckFrame(v, "f2_data_after_rekey", a2g[1], 2, 3, 1, 0);
    }

    private static void CheckCertificate(Dictionary<string, byte[]> v)
    {
        var certificate = v["gateway_certificate"];
        byte[] signed = [.. Str8("gw-1"u8.ToArray()), .. v["gateway_pk"], .. U64(Pair.Now - 60), .. U64(Pair.Now + 3600), .. U64(42), .. SHA256.HashData(v["root_pk"])[..8]];
        Assert.Equal(signed, certificate[..^64]);
        AssertSigned(v["root_pk"], "gateway certificate", signed, certificate[^64..]);
        foreach (var name in new[] { "root", "gateway", "agent" })
        {
            using var key = Key.Import(SignatureAlgorithm.Ed25519, v[name + "_seed"], KeyBlobFormat.RawPrivateKey);
            Assert.Equal(v[name + "_pk"], key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
        }
    }

    private static (byte[] Key, byte[] Iv)[] CheckDirection(Dictionary<string, byte[]> v, string name, byte[] secret)
    {
        var keys = new (byte[], byte[])[2];
        for (var epoch = 0; epoch < 2; epoch++)
        {
            Assert.Equal(v[$"s_{name}_{epoch}"], secret);
            var key = Expand(secret, "key"u8.ToArray(), 32);
            var iv = Expand(secret, "iv"u8.ToArray(), 12);
            Assert.Equal(v[$"key_{name}_{epoch}"], key);
            Assert.Equal(v[$"iv_{name}_{epoch}"], iv);
            keys[epoch] = (key, iv);
            secret = Expand(secret, "next"u8.ToArray(), 32);
        }

        return keys;
    }

    private static void CheckFrame(Dictionary<string, byte[]> v, string name, (byte[] Key, byte[] Iv) traffic, byte type, byte laneClass, uint epoch, ulong counter)
    {
        var plaintext = v[name + "_plaintext"];
        var header = new byte[20];
        (header[0], header[1], header[2], header[3]) = (1, type, 0, laneClass);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), epoch);
        BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(8), counter);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(16), (uint)plaintext.Length);
        var nonce = traffic.Iv.ToArray();
        for (var i = 0; i < 8; i++)
        {
            nonce[4 + i] ^= header[8 + i];
        }

        using var aead = new System.Security.Cryptography.ChaCha20Poly1305(traffic.Key);
        var ciphertext = new byte[plaintext.Length];
        var tag = new byte[16];
        aead.Encrypt(nonce, plaintext, ciphertext, tag, header);
        byte[] frame = [.. header, .. ciphertext, .. tag];
        Assert.Equal(v[name + "_frame"], frame);
    }

    private static void AssertSigned(byte[] publicKey, string context, byte[] data, byte[] signature)
    {
        byte[] input = [.. Enumerable.Repeat((byte)0x20, 64), .. "streams/1 "u8, .. Encoding.ASCII.GetBytes(context), 0, .. data];
        var key = PublicKey.Import(SignatureAlgorithm.Ed25519, publicKey, KeyBlobFormat.RawPublicKey);
        Assert.True(SignatureAlgorithm.Ed25519.Verify(key, input, signature), context);
    }

    private static byte[] Agree(byte[] secret, byte[] peer)
    {
        using var key = Key.Import(KeyAgreementAlgorithm.X25519, secret, KeyBlobFormat.RawPrivateKey);
        using var shared = KeyAgreementAlgorithm.X25519.Agree(key, PublicKey.Import(KeyAgreementAlgorithm.X25519, peer, KeyBlobFormat.RawPublicKey),
            new SharedSecretCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });
        return shared!.Export(SharedSecretBlobFormat.RawSharedSecret);
    }

    private static byte[] Expand(byte[] prk, byte[] info, int length) => HKDF.Expand(HashAlgorithmName.SHA256, prk, length, info);

    private static byte[] Str8(byte[] value) => [(byte)value.Length, .. value];

    private static byte[] Str16(byte[] value) => [(byte)(value.Length >> 8), (byte)value.Length, .. value];

    private static byte[] U64(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }
}
