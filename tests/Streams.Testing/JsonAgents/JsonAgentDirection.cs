using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Streams.Testing.JsonAgents;

/// <summary>Keys and counter of one direction, as PROTOCOL.md section 3 has them.</summary>
internal sealed class JsonAgentDirection(byte[] secret)
{
    private byte[] _secret = secret;

    public uint KeyEpoch { get; private set; }

    public ulong Counter { get; set; }

    public byte[] Nonce()
    {
        var nonce = Expand("iv", 12);
        BinaryPrimitives.WriteUInt64BigEndian(nonce.AsSpan(4), BinaryPrimitives.ReadUInt64BigEndian(nonce.AsSpan(4)) ^ Counter);
        return nonce;
    }

    public ChaCha20Poly1305 Cipher() => new(Expand("key", 32));

    public void Rekey()
    {
        _secret = Expand("next", 32);
        KeyEpoch++;
        Counter = 0;
    }

    private byte[] Expand(string label, int length) => HKDF.Expand(HashAlgorithmName.SHA256, _secret, length, Encoding.ASCII.GetBytes(label));
}
