namespace Streams.Queue;

/// <summary>Bucket `enrolment`, key = token id: what a token is good for, and who has used it.</summary>
/// <param name="PublicKey">Public half of the key that the token's secret derives, base64url: whoever reads the bucket can enrol nobody.</param>
/// <param name="AgentId">The agent that it lets in; empty for a counted one.</param>
/// <param name="Prefix">Counted ones: what the agents' ids begin with; empty otherwise.</param>
/// <param name="MaxUses">Different keys that may use it.</param>
/// <param name="ExpiresAt">Good before it.</param>
/// <param name="Networks">CIDRs, in one of which the agent has to be; empty: anywhere.</param>
/// <param name="UsedBy">Public key, base64url, to the agent id it was let in as.</param>
/// <param name="CreatedBy">Who made it.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="Revoked">Good for nobody any more.</param>
/// <param name="Replace">Whether an agent id that another key has may be taken over.</param>
public sealed record EnrolmentRecord(
    string PublicKey,
    string AgentId,
    string Prefix,
    int MaxUses,
    DateTimeOffset ExpiresAt,
    IReadOnlyList<string> Networks,
    IReadOnlyDictionary<string, string> UsedBy,
    string CreatedBy,
    DateTimeOffset CreatedAt,
    bool Revoked = false,
    bool Replace = false)
{
    public int Uses => UsedBy.Count;
}
