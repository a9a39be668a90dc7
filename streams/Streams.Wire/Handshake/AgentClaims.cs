namespace Streams.Wire.Handshake;

/// <summary>What an agent says about itself in M2, beside its identity.</summary>
/// <param name="Time">Unix µs.</param>
/// <param name="BootId">The kernel's boot id.</param>
/// <param name="Epoch">Random, drawn at the start of the process.</param>
/// <param name="ConnectCounter">Made durable before it is used; a value that goes back betrays a clone.</param>
/// <param name="CatalogueDigest">32 bytes, digest of the schema catalogue.</param>
public readonly record struct AgentClaims(ulong Time, UInt128 BootId, UInt128 Epoch, ulong ConnectCounter, ReadOnlyMemory<byte> CatalogueDigest);
