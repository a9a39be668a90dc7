namespace Streams.Wire.Json;

/// <summary>What a sender puts into the envelope beside what sealing makes.</summary>
/// <param name="Channel">With its action.</param>
/// <param name="Timestamp">Unix µs.</param>
/// <param name="Token">The session token; empty in the gateway's messages.</param>
public readonly record struct EnvelopeHead(
    string Id, MessageType Type, string Channel, ulong Timestamp, string AgentId, string Module, ReadOnlyMemory<byte> Token = default);
