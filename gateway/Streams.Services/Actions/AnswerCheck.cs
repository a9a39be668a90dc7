using Streams.Control.Commands;
using Streams.Control.Identity;
using Streams.Queue;
using Streams.Wire.Crypto;

namespace Streams.Services.Actions;

/// <summary>Whether an answer is the agent's: signed with its key, or with the one before while a rotation is under way.</summary>
internal sealed class AnswerCheck(IdentityStore store, BucketCache<IdentityRecord> cache)
{
    /// <summary>Null: there is no identity of that name.</summary>
    /// <exception cref="QueueException">The bucket is away: ask again.</exception>
    public async Task<bool?> IsSignedAsync(CommandAnswer answer, CancellationToken cancel)
    {
        if (cache.TryGet(answer.AgentId, out var known) && IsSignedBy(answer, known))
        {
            return true;
        }

        // The copy may not have heard yet of an agent that was let in, or of its new key.
        return await store.GetAsync(answer.AgentId, cancel).ConfigureAwait(false) is { } identity ? IsSignedBy(answer, identity) : null;
    }

    private static bool IsSignedBy(CommandAnswer answer, IdentityRecord identity)
    {
        Span<byte> key = stackalloc byte[SigningKey.PublicKeySize];
        // A key is revoked because others may have it.
        return identity.State != IdentityRecord.Revoked
            && ((CanonicalBase64.TryRead(identity.PublicKey, key) && answer.IsSignedBy(key))
                || (CanonicalBase64.TryRead(identity.PreviousKey, key) && answer.IsSignedBy(key)));
    }
}
