namespace Streams.Queue;

/// <summary>Bucket `identities`, key = agent id: whom the gateway lets in.</summary>
/// <param name="PublicKey">Ed25519 public key, base64url.</param>
/// <param name="Host">The host's name.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="State"><see cref="Active"/>, <see cref="Revoked"/> or <see cref="Quarantined"/>.</param>
/// <param name="Serial">One more with each change; 0 in records from before there were serials.</param>
/// <param name="PreviousKey">The key before, good until the first session under the present one; empty otherwise.</param>
/// <param name="RevokedAt">When it was revoked.</param>
/// <param name="Action">The last change, a word of the table <c>agent_identity</c>.</param>
/// <param name="TokenId">The enrolment token of the last change; empty without one.</param>
/// <param name="Actor">Who made it.</param>
/// <param name="Source">The address it came from; empty when it was no connection.</param>
public sealed record IdentityRecord(
    string PublicKey,
    string Host,
    DateTimeOffset CreatedAt,
    string State = IdentityRecord.Active,
    ulong Serial = 0,
    string PreviousKey = "",
    DateTimeOffset? RevokedAt = null,
    string Action = "put",
    string TokenId = "",
    string Actor = "",
    string Source = "")
{
    public const string Active = "active";

    /// <summary>No session, and the living one ends.</summary>
    public const string Revoked = "revoked";

    /// <summary>There may be two of it: data is taken, commands and policy are withheld.</summary>
    public const string Quarantined = "quarantined";
}
