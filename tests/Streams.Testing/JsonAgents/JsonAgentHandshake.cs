using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using NSec.Cryptography;

namespace Streams.Testing.JsonAgents;

/// <summary>The agent's side of M1, M2 and M3 from PROTOCOL.md section 2, of nothing that the product is made of.</summary>
internal sealed class JsonAgentHandshake(string agentId, Key identity, byte[] root, string offered, string path)
{
    private readonly Key _ephemeral = Key.Create(KeyAgreementAlgorithm.X25519);
    private byte[] _transcript = Sha(Concat(
        "streams/1 transcript\0"u8.ToArray(), Str8("streams/1"u8), Str16(offered), Str8("streams.v1.json"u8), Str16(path)));

    private byte[] _peerEphemeral = [];

    public byte[] GatewayKey { get; private set; } = [];

    public byte[] SessionId { get; private set; } = [];

    public byte[] AgentSecret { get; private set; } = [];

    public byte[] GatewaySecret { get; private set; } = [];

    public static byte[] Sha(byte[] data) => SHA256.HashData(data);

    public static byte[] SigningInput(string context, byte[] data) =>
        Concat(Enumerable.Repeat((byte)0x20, 64).ToArray(), Encoding.ASCII.GetBytes("streams/1 " + context), [0], data);

    public static byte[] Concat(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    public static byte[] Str16(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return Concat([(byte)(bytes.Length >> 8), (byte)bytes.Length], bytes);
    }

    public static byte[] U64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>M1 in, M2 out.</summary>
    public byte[] Answer(byte[] hello, byte[] epoch, ulong connectCounter)
    {
        Check(hello[0] == 1 && hello[1] <= 1, "M1 of version 1");
        var at = 4 + hello[3];
        var certificate = hello.AsSpan(at);
        var name = certificate[0];
        GatewayKey = certificate.Slice(1 + name, 32).ToArray();
        var signed = certificate[..(1 + name + 32 + 8 + 8 + 8 + 8)].ToArray();
        var signature = certificate.Slice(signed.Length, 64).ToArray();
        Check(Verify(root, "gateway certificate", signed, signature), "the root's certificate");
        at += signed.Length + 64;
        _peerEphemeral = hello.AsSpan(at, 32).ToArray();
        Add(hello);
        var auth = Concat(
            [2, 1, 1, 1], Str8(Encoding.ASCII.GetBytes(agentId)), identity.PublicKey.Export(KeyBlobFormat.RawPublicKey),
            _ephemeral.PublicKey.Export(KeyBlobFormat.RawPublicKey), RandomNumberGenerator.GetBytes(32), U64(1), new byte[16], epoch, U64(connectCounter),
            new byte[32]);
        auth = Concat(auth, SignatureAlgorithm.Ed25519.Sign(identity, SigningInput("agent auth", Sha(Concat(_transcript, auth)))));
        Add(auth);
        return auth;
    }

    /// <summary>M3 in: the keys are there.</summary>
    public void Finish(byte[] accept)
    {
        Check(accept.Length == 65 && accept[0] == 3, "M3: " + Convert.ToHexString(accept));
        Check(Verify(GatewayKey, "gateway auth", Sha(Concat(_transcript, [3])), accept[1..]), "the gateway's signature");
        Add(accept);
        using var shared = KeyAgreementAlgorithm.X25519.Agree(
            _ephemeral, PublicKey.Import(KeyAgreementAlgorithm.X25519, _peerEphemeral, KeyBlobFormat.RawPublicKey),
            new SharedSecretCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport })!;
        var prk = HKDF.Extract(HashAlgorithmName.SHA256, shared.Export(SharedSecretBlobFormat.RawSharedSecret), _transcript);
        AgentSecret = Derive(prk, "a2g", 32);
        GatewaySecret = Derive(prk, "g2a", 32);
        SessionId = Derive(prk, "session id", 16);
    }

    public static bool Verify(byte[] key, string context, byte[] data, byte[] signature) => SignatureAlgorithm.Ed25519.Verify(
        PublicKey.Import(SignatureAlgorithm.Ed25519, key, KeyBlobFormat.RawPublicKey), SigningInput(context, data), signature);

    private byte[] Derive(byte[] prk, string label, int length) =>
        HKDF.Expand(HashAlgorithmName.SHA256, prk, length, Concat(Encoding.ASCII.GetBytes("streams/1 " + label), _transcript));

    private void Add(byte[] message) => _transcript = Sha(Concat(_transcript, message));

    private static byte[] Str8(ReadOnlySpan<byte> bytes) => Concat([(byte)bytes.Length], bytes.ToArray());

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException("not as the protocol has it: " + what);
        }
    }
}
