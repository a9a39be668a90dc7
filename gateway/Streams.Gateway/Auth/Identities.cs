using System.Buffers.Text;
using System.Text;
using Streams.Queue;
using Streams.Wire.Crypto;

namespace Streams.Gateway.Auth;

/// <summary>Looks an agent's key up in the watched copy of the identities bucket: in memory, so that an unauthenticated peer costs the store nothing.</summary>
internal sealed class Identities(IdentityCache cache)
{
    public int Count => cache.Count;

    /// <summary>Copies the agent's public key; 0 when the agent is unknown or its record is damaged, which is the same to a peer.</summary>
    public int Find(string agentId, Span<byte> key, out string? host)
    {
        host = null;
        if (!cache.TryGet(agentId, out var identity))
        {
            return 0;
        }

        host = identity.Host;
        Span<byte> text = stackalloc byte[64];
        return identity.PublicKey.Length <= text.Length && Encoding.ASCII.TryGetBytes(identity.PublicKey, text, out var length)
            && Base64Url.TryDecodeFromUtf8(text[..length], key, out var written) && written == SigningKey.PublicKeySize ? written : 0;
    }
}
