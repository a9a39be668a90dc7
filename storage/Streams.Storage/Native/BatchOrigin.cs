namespace Streams.Storage;

/// <summary>What the server knows about a batch: from the authenticated session and from the gateway's stamp.</summary>
/// <param name="AgentId">The authenticated agent.</param>
/// <param name="Host">Host name of the session.</param>
/// <param name="ReceivedAt">Microseconds since 1970, stamped once by the gateway.</param>
public readonly record struct BatchOrigin(string AgentId, string Host, long ReceivedAt);
