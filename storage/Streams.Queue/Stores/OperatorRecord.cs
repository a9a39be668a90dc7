namespace Streams.Queue;

/// <summary>Bucket `operators`, key = token id: who may use the operator's HTTP.</summary>
/// <param name="SecretHash">SHA-256 of the secret, base64url.</param>
/// <param name="Name">Whose it is: the actor of the audit.</param>
/// <param name="Role">viewer, operator or admin.</param>
/// <param name="ExpiresAt">Good before it.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Revoked">Good for nothing any more.</param>
public sealed record OperatorRecord(
    string SecretHash, string Name, string Role, DateTimeOffset ExpiresAt, DateTimeOffset CreatedAt, bool Revoked = false);
