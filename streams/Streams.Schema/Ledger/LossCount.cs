namespace Streams.Schema;

/// <summary>Lost rows of one cause.</summary>
public readonly record struct LossCount(LossCause Cause, ulong Count);
