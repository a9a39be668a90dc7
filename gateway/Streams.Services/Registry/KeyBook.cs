using Streams.Control.Identity;
using Streams.Queue;
using Streams.Wire.Crypto;

namespace Streams.Services.Registry;

/// <summary>What becomes of identities that are there: new keys, and quarantine.</summary>
internal sealed class KeyBook(IdentityStore identities, SessionStore sessions, QuarantineLimit limit)
{
    /// <summary>The agent's next key. The old one stays good until a session under the new one was seen; a repeat has the same answer.</summary>
    public async Task<RotateAnswer> RotateAsync(RegistryCall call, CancellationToken cancel)
    {
        Span<byte> key = stackalloc byte[SigningKey.PublicKeySize];
        if (call.Rotate is not { } request || !Wire.AgentId.IsValid(call.AgentId) || !CanonicalBase64.TryRead(call.PublicKey, key))
        {
            return RotateAnswer.Refuse(RegistryRefusal.Malformed);
        }

        // The session's key is one of the agent's, so it is the one that has to have signed.
        var refusal = request.Judge(call.AgentId, key);
        if (refusal != RegistryRefusal.None)
        {
            return RotateAnswer.Refuse(refusal);
        }

        var (record, _) = await identities.ChangeAsync(
            call.AgentId,
            last => last is not null && last.State == IdentityRecord.Active && last.PublicKey != request.PublicKey
                && (last.PublicKey == call.PublicKey || last.PreviousKey == call.PublicKey)
                    ? last with
                    {
                        PublicKey = request.PublicKey,
                        PreviousKey = call.PublicKey,
                        Action = "rotated",
                        Actor = call.AgentId,
                        Source = call.Source,
                    }
                    : null,
            cancel).ConfigureAwait(false);
        return record is null ? RotateAnswer.Refuse(RegistryRefusal.UnknownAgent)
            : record.State == IdentityRecord.Revoked ? RotateAnswer.Refuse(RegistryRefusal.AgentRevoked)
            // A repeat of what was taken before has the answer of then.
            : record.State == IdentityRecord.Quarantined && record.PublicKey != request.PublicKey ? RotateAnswer.Refuse(RegistryRefusal.AgentQuarantined)
            : record.PublicKey != request.PublicKey ? RotateAnswer.Refuse(RegistryRefusal.UnknownAgent)
            : new RotateAnswer(RegistryRefusal.None, record.PublicKey, record.Serial);
    }

    /// <summary>
    /// What a gateway saw, and what became of it. Only of the gateway that holds the agent's newest session, and no more quarantines than the
    /// limit has places for.
    /// </summary>
    public async Task<NoticeOutcome> NoticeAsync(RegistryNotice notice, CancellationToken cancel)
    {
        if (!Wire.AgentId.IsValid(notice.AgentId))
        {
            return NoticeOutcome.Nothing;
        }

        if ((await sessions.GetAsync(notice.AgentId, cancel).ConfigureAwait(false))?.Value.Gateway != notice.Gateway)
        {
            return NoticeOutcome.NotItsGateway;
        }

        if (notice.Kind == NoticeKind.Clone
            && (await identities.GetAsync(notice.AgentId, cancel).ConfigureAwait(false))?.State == IdentityRecord.Active && !limit.TryTake())
        {
            return NoticeOutcome.TooMany;
        }

        var (_, changed) = await identities.ChangeAsync(
            notice.AgentId,
            last => notice.Kind switch
            {
                NoticeKind.NewKeyUsed when last is { PreviousKey.Length: > 0 } && last.PublicKey == notice.PublicKey =>
                    last with { PreviousKey = "", Action = "rotated", Actor = notice.AgentId, Source = notice.Source },
                NoticeKind.Clone when last is { State: IdentityRecord.Active } =>
                    last with { State = IdentityRecord.Quarantined, Action = "quarantined", Actor = notice.Gateway, Source = notice.Source },
                _ => null,
            },
            cancel).ConfigureAwait(false);
        return !changed ? NoticeOutcome.Nothing : notice.Kind == NoticeKind.Clone ? NoticeOutcome.Quarantined : NoticeOutcome.KeySettled;
    }
}
