namespace Streams.Queue;

/// <summary>Bucket `revocations`: a statement of a fleet root. Nobody here judges it: the agents do, by the roots that they pin.</summary>
/// <param name="Statement">Its bytes, base64url.</param>
/// <param name="Version">Of a list; rises.</param>
public sealed record RevocationRecord(string Statement, ulong Version);
