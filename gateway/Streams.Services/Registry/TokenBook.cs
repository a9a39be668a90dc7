using System.Buffers.Text;
using Streams.Control.Identity;
using Streams.Queue;
using Streams.Wire.Crypto;

namespace Streams.Services.Registry;

/// <summary>
/// Lets agents in by tokens. A token is used up by public keys, by compare-and-set, before the identity is written: after a crash between
/// the two the same key asks again and gets the same answer, and no other key ever gets its place.
/// </summary>
internal sealed class TokenBook(EnrolmentStore tokens, IdentityStore identities, TimeProvider time) : IDisposable
{
    /// <summary>Races with other processes of this role that may be lost; in this one only one call enrols at a time.</summary>
    private const int Attempts = 16;

    // Compare-and-set alone would let 50 agents of one image fail each other 50 times.
    private readonly SemaphoreSlim _one = new(1, 1);

    public async Task<EnrolAnswer> EnrolAsync(RegistryCall call, CancellationToken cancel)
    {
        if (call.Enrol is not { IsValid: true })
        {
            return EnrolAnswer.Refuse(RegistryRefusal.Malformed);
        }

        if (!IsKey(call.PublicKey))
        {
            return EnrolAnswer.Refuse(RegistryRefusal.BadKey);
        }

        await _one.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                if (await TryAsync(call, call.Enrol, cancel).ConfigureAwait(false) is { } answer)
                {
                    return answer;
                }
            }

            return EnrolAnswer.Refuse(RegistryRefusal.Unavailable);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private static bool IsKey(string text)
    {
        Span<byte> key = stackalloc byte[SigningKey.PublicKeySize];
        return CanonicalBase64.TryRead(text, key) && SigningKey.IsPublicKey(key);
    }

    /// <summary>Null: another process was quicker, look again.</summary>
    private async Task<EnrolAnswer?> TryAsync(RegistryCall call, EnrolRequest request, CancellationToken cancel)
    {
        // Key and host are what the gateway says: the token's key has to have signed for exactly them.
        if (await tokens.GetAsync(request.Token, cancel).ConfigureAwait(false) is not { } entry
            || !request.IsSignedBy(entry.Value.PublicKey, call.PublicKey))
        {
            return EnrolAnswer.Refuse(RegistryRefusal.UnknownToken);
        }

        var token = entry.Value;
        var known = token.UsedBy.TryGetValue(call.PublicKey, out var agent);
        var refusal = token.Revoked ? RegistryRefusal.TokenRevoked
            : token.ExpiresAt <= time.GetUtcNow() ? RegistryRefusal.TokenExpired
            : !SourceNetworks.Contain(token.Networks, call.Source) ? RegistryRefusal.WrongNetwork
            : !known && token.Uses >= token.MaxUses ? RegistryRefusal.TokenUsed
            : RegistryRefusal.None;
        if (refusal != RegistryRefusal.None)
        {
            return EnrolAnswer.Refuse(refusal);
        }

        if (!known)
        {
            agent = token.AgentId.Length > 0 ? token.AgentId : Name(token, call.PublicKey);
            // Before the token is used up: a name that is taken must not cost it.
            if (await identities.GetAsync(agent, cancel).ConfigureAwait(false) is { } other && other.PublicKey != call.PublicKey && !token.Replace)
            {
                return EnrolAnswer.Refuse(RegistryRefusal.AgentExists);
            }

            var used = token with { UsedBy = new Dictionary<string, string>(token.UsedBy) { [call.PublicKey] = agent } };
            if (!await tokens.TryWriteAsync(entry.Key, used, entry.Revision, cancel).ConfigureAwait(false))
            {
                return null;
            }
        }

        return await LetInAsync(call, request, token, agent!, cancel).ConfigureAwait(false);
    }

    private async Task<EnrolAnswer> LetInAsync(
        RegistryCall call, EnrolRequest request, EnrolmentRecord token, string agent, CancellationToken cancel)
    {
        var (record, _) = await identities.ChangeAsync(
            agent,
            last => last is null || (token.Replace && last.TokenId != request.Token)
                ? new IdentityRecord(
                    call.PublicKey, request.Host, time.GetUtcNow(), Action: "enrolled", TokenId: request.Token, Actor: token.CreatedBy, Source: call.Source)
                : null,
            cancel).ConfigureAwait(false);
        return record!.PublicKey != call.PublicKey ? EnrolAnswer.Refuse(RegistryRefusal.AgentExists)
            // The token's answer stays the same, but what the operator did since is not undone by asking again.
            : record.State == IdentityRecord.Revoked ? EnrolAnswer.Refuse(RegistryRefusal.AgentRevoked)
            : new EnrolAnswer(RegistryRefusal.None, agent, record.PublicKey, record.Serial);
    }

    /// <summary>Prefix and the first digits of the key's digest: the same key has the same name, whoever works it out.</summary>
    private static string Name(EnrolmentRecord token, string publicKey)
    {
        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(Base64Url.DecodeFromChars(publicKey), digest);
        var digits = Convert.ToHexStringLower(digest[..6]);
        var name = $"{token.Prefix}-{digits[..8]}";
        return token.UsedBy.Values.Contains(name) ? $"{token.Prefix}-{digits}" : name;
    }
}
