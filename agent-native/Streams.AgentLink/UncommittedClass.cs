namespace Streams.AgentLink;

/// <summary>What a link keeps in memory of one event class.</summary>
public readonly record struct UncommittedClass(ushort ClassId, int Batches, long Rows);
