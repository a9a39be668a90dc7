using Streams.Control.Identity;
using Streams.Queue;
using Streams.Wire.Crypto;

namespace Streams.Gateway.Auth;

/// <summary>Looks an agent's key up in the watched copy of the identities bucket: in memory, so that an unauthenticated peer costs the store nothing.</summary>
internal sealed class Identities(IdentityCache cache)
{
    public int Count => cache.Count;

    /// <summary>
    /// Copies the key that the agent must prove: of its two during a rotation the one that it claims. 0 when the agent is unknown or revoked, or its record is damaged,
    /// which is all the same to a peer.
    /// </summary>
    public int Find(string agentId, ReadOnlySpan<byte> claimed, Span<byte> key, out string? host)
    {
        host = null;
        if (!cache.TryGet(agentId, out var identity) || identity.State == IdentityRecord.Revoked)
        {
            return 0;
        }

        host = identity.Host;
        if (identity.PreviousKey.Length > 0 && Is(identity.PreviousKey, claimed))
        {
            claimed.CopyTo(key);
            return SigningKey.PublicKeySize;
        }

        return CanonicalBase64.TryRead(identity.PublicKey, key[..SigningKey.PublicKeySize]) ? SigningKey.PublicKeySize : 0;
    }

    /// <summary>Whether a session under this key may live.</summary>
    public bool IsGood(string agentId, ReadOnlySpan<byte> key) =>
        cache.TryGet(agentId, out var identity) && identity.State != IdentityRecord.Revoked && (Is(identity.PublicKey, key) || Is(identity.PreviousKey, key));

    /// <summary>Whether this is the key that a rotation waits to see used.</summary>
    public bool IsNewKey(string agentId, ReadOnlySpan<byte> key) =>
        cache.TryGet(agentId, out var identity) && identity.PreviousKey.Length > 0 && Is(identity.PublicKey, key);

    /// <summary>Data of such an agent are taken; commands and policy are withheld until the operator has looked.</summary>
    public bool IsQuarantined(string agentId) => cache.TryGet(agentId, out var identity) && identity.State == IdentityRecord.Quarantined;

    private static bool Is(string text, ReadOnlySpan<byte> key)
    {
        Span<byte> bytes = stackalloc byte[SigningKey.PublicKeySize];
        return CanonicalBase64.TryRead(text, bytes) && bytes.SequenceEqual(key);
    }
}
