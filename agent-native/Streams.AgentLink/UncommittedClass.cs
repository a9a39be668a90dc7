namespace Streams.AgentLink;

/// <summary>What a link still keeps of one event class.</summary>
public readonly record struct UncommittedClass(ushort ClassId, int Batches, long Rows);
